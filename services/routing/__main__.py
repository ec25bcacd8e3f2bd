"""Starts the routing service: `python -m services.routing`."""

import gc
import sys

gc.disable()  # the search for it would be a fifth of reading the modules; `run` takes it up again (ADR 0094)

from services.routing.app import build_app  # noqa: E402
from services.routing.settings import RoutingSettings  # noqa: E402
from services.routing.yaml_nodes import BrokenRulebook  # noqa: E402
from services.runtime.process import run  # noqa: E402


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    return run(
        "routing",
        RoutingSettings,
        lambda settings, telemetry: build_app(settings, telemetry=telemetry),
        lambda settings: (settings.routing_host, settings.routing_port),
        (BrokenRulebook,),
    )


if __name__ == "__main__":
    sys.exit(main())
