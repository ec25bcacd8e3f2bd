"""Starts the routing service: `python -m services.routing`."""

import sys

import uvloop

from services.routing.app import build_app
from services.routing.settings import RoutingSettings
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime import logs
from services.runtime.http import TracedHttp, serve
from services.runtime.settings import BadSettings, load
from services.runtime.telemetry import set_up


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    try:
        settings = load(RoutingSettings)
        logs.configure("routing", settings.log_level)
        telemetry = set_up("routing", settings)
        app = TracedHttp(build_app(settings, telemetry=telemetry), telemetry, logs.log, service="routing")
        uvloop.run(serve(app, settings.routing_host, settings.routing_port, on_ready=_say_ready))
    except (BadSettings, BrokenRulebook) as problem:
        print(problem, file=sys.stderr)
        return 1
    telemetry.shutdown()
    return 0


def _say_ready() -> None:
    logs.log("service.started")


if __name__ == "__main__":
    sys.exit(main())
