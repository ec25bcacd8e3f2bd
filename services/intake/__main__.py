"""Starts the intake service: `python -m services.intake`."""

import sys

import uvloop

from services.intake.app import build_app
from services.intake.settings import IntakeSettings
from services.runtime import logs
from services.runtime.http import TracedHttp, serve
from services.runtime.settings import BadSettings, load
from services.runtime.telemetry import set_up


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    try:
        settings = load(IntakeSettings)
        logs.configure("intake", settings.log_level)
        telemetry = set_up("intake", settings)
        app = TracedHttp(build_app(settings, telemetry=telemetry), telemetry, logs.log, service="intake")
        uvloop.run(serve(app, settings.intake_host, settings.intake_port, on_ready=_say_ready))
    except BadSettings as problem:
        print(problem, file=sys.stderr)
        return 1
    telemetry.shutdown()
    return 0


def _say_ready() -> None:
    logs.log("service.started")


if __name__ == "__main__":
    sys.exit(main())
