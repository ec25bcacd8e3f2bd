"""Routing by a clock that can be made to jump: `python -m tests.chaos.clocked`; the seconds of its jump lie in a file."""

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from services.routing.app import build_app
from services.routing.settings import RoutingSettings
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.clock import now
from services.runtime.process import run

JUMP = "jump"
"""The file in the data folder; without it the clock is right."""


@dataclass(frozen=True)
class Jumping:
    """A clock that is wrong by the seconds in a file, from one reading to the next."""

    file: Path

    def __call__(self) -> datetime:
        try:
            return now() + timedelta(seconds=float(self.file.read_text()))
        except (FileNotFoundError, ValueError):
            return now()


def main() -> int:
    return run(
        "routing",
        RoutingSettings,
        lambda settings, telemetry: build_app(
            settings, clock=Jumping(settings.data_dir / JUMP), telemetry=telemetry
        ),
        lambda settings: (settings.routing_host, settings.routing_port),
        (BrokenRulebook,),
    )


if __name__ == "__main__":
    sys.exit(main())
