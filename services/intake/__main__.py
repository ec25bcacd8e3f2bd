"""Starts the intake service: `python -m services.intake`."""

import gc
import sys

gc.disable()  # the search for it would be a fifth of reading the modules; `run` takes it up again (ADR 0094)

from services.intake.app import build_app  # noqa: E402
from services.intake.settings import IntakeSettings  # noqa: E402
from services.runtime.process import run  # noqa: E402


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
