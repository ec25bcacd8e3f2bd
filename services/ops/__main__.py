"""Starts the ops page: `python -m services.ops`."""

import sys

import uvloop

from services.ops.app import build_app
from services.ops.settings import OpsSettings
from services.runtime import logs
from services.runtime.http import serve
from services.runtime.settings import BadSettings, load


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit code. It sends no spans: it would be telling itself about itself."""
    try:
        settings = load(OpsSettings)
        logs.configure("ops", settings.log_level)
        app = build_app(settings)
        return uvloop.run(
            serve(app, settings.ops_host, settings.ops_port, on_ready=lambda: logs.log("service.started"))
        )
    except BadSettings as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
