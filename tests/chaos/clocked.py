"""A service by a clock that can jump: `python -m tests.chaos.clocked intake`; the seconds of its jump lie in a file."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services.intake.app import build_app as build_intake
from services.intake.settings import IntakeSettings
from services.routing.app import build_app as build_routing
from services.routing.settings import RoutingSettings
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.clock import now
from services.runtime.process import run

JUMP = "jump"
"""The file in the data folder; without it the clock is right."""
SERVICES: dict[str, tuple[Any, Callable[..., Any]]] = {
    "intake": (IntakeSettings, build_intake),
    "routing": (RoutingSettings, build_routing),
}


@dataclass(frozen=True)
class Jumping:
    """A clock that is wrong by the seconds in a file, from one reading to the next."""

    file: Path

    def __call__(self) -> datetime:
        try:
            return now() + timedelta(seconds=float(self.file.read_text()))
        except (OSError, ValueError):  # not there, or the disk is off
            return now()


def main() -> int:
    name = sys.argv[1]
    settings_of, build = SERVICES[name]
    return run(
        name,
        settings_of,
        lambda settings, telemetry: build(
            settings, clock=Jumping(settings.data_dir / JUMP), telemetry=telemetry
        ),
        lambda settings: (getattr(settings, f"{name}_host"), getattr(settings, f"{name}_port")),
        (BrokenRulebook,),
    )


if __name__ == "__main__":
    sys.exit(main())
