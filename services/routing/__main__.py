"""Starts the routing service: `python -m services.routing`."""

import sys

from services.routing.app import build_app
from services.routing.settings import RoutingSettings
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.process import run


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
