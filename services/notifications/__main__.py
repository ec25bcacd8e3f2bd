"""Starts the notifications service: `python -m services.notifications`."""

import gc
import sys

gc.disable()  # the search for it would be a fifth of reading the modules; `run` takes it up again (ADR 0094)

from services.notifications.app import build_app  # noqa: E402
from services.notifications.settings import NotificationsSettings  # noqa: E402
from services.runtime.process import run  # noqa: E402


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
