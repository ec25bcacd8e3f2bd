"""Starts the notifications service: `python -m services.notifications`."""

import sys

import uvloop

from services.notifications.app import build_app
from services.notifications.settings import NotificationsSettings
from services.runtime import logs
from services.runtime.http import TracedHttp, serve
from services.runtime.settings import BadSettings, load
from services.runtime.telemetry import set_up


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    try:
        settings = load(NotificationsSettings)
        logs.configure("notifications", settings.log_level)
        telemetry = set_up("notifications", settings)
        app = TracedHttp(
            build_app(settings, telemetry=telemetry), telemetry, logs.log, service="notifications"
        )
        uvloop.run(serve(app, settings.notifications_host, settings.notifications_port, on_ready=_say_ready))
    except BadSettings as problem:
        print(problem, file=sys.stderr)
        return 1
    telemetry.shutdown()
    return 0


def _say_ready() -> None:
    logs.log("service.started")


if __name__ == "__main__":
    sys.exit(main())
