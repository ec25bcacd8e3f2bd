"""Starts the notifications service: `python -m services.notifications`."""

import sys

from services.notifications.app import build_app
from services.notifications.settings import NotificationsSettings
from services.runtime.process import run


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    return run(
        "notifications",
        NotificationsSettings,
        lambda settings, telemetry: build_app(settings, telemetry=telemetry),
        lambda settings: (settings.notifications_host, settings.notifications_port),
    )


if __name__ == "__main__":
    sys.exit(main())
