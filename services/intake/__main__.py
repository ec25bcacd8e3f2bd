"""Starts the intake service: `python -m services.intake`."""

import sys

from services.intake.app import build_app
from services.intake.settings import IntakeSettings
from services.runtime.process import run


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    return run(
        "intake",
        IntakeSettings,
        lambda settings, telemetry: build_app(settings, telemetry=telemetry),
        lambda settings: (settings.intake_host, settings.intake_port),
    )


if __name__ == "__main__":
    sys.exit(main())
