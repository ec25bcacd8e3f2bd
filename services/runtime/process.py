"""Runs one service as a process: settings, logs, telemetry, its application behind HTTP, until it is told to stop."""

import gc
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import uvloop
from starlette.types import ASGIApp

from services.runtime import logs
from services.runtime.crowd import Crowd
from services.runtime.http import TracedHttp, serve
from services.runtime.log_export import LinesByOtlp, wanted
from services.runtime.metrics_door import MetricsDoor
from services.runtime.settings import BadSettings, Settings, load
from services.runtime.telemetry import Telemetry, instruments_of, set_up

S = TypeVar("S", bound=Settings)
LAST_SECONDS = 10.0
"""What may be left to end once nothing of the service runs: the closing of connections and the last telemetry."""


def run(
    service: str,
    kind: type[S],
    build: Callable[[S, Telemetry], ASGIApp],
    address: Callable[[S], tuple[str, int]],
    refusals: tuple[type[Exception], ...] = (),
) -> int:
    """Run until SIGTERM or SIGINT; the exit code.

    BadSettings and `refusals` end it with their text, exit code 1; so does work of its own that cannot go on.
    """
    expected: tuple[type[Exception], ...] = (BadSettings, *refusals)
    try:
        settings = load(kind)
        logs.configure(service, settings.log_level)
        telemetry = set_up(service, settings)
        if wanted():
            logging.getLogger().addHandler(LinesByOtlp(service, telemetry.provider.resource))
        app = TracedHttp(build(settings, telemetry), telemetry, logs.log, service=service)
        measured = MetricsDoor(app, telemetry.registry, settings.secret("metrics-token"))
        crowd = Crowd(instruments_of(telemetry))
        collect_seldom()  # now, too: what it waits for may be away for a night
        code = uvloop.run(_served(measured, *address(settings), crowd))
    except expected as problem:
        print(problem, file=sys.stderr)
        return 1
    telemetry.shutdown()
    logging.shutdown()
    return code


async def _served(app: ASGIApp, host: str, port: int, crowd: Crowd) -> int:
    def ready() -> None:
        logs.log("service.started", objects_kept=collect_seldom())

    code = await serve(app, host, port, on_ready=ready, crowd=crowd)
    end_within(LAST_SECONDS, code)
    return code


def collect_seldom() -> int:
    """Leave what stands until the end (code, rulebook, schemas) out of the search for garbage; how many objects.

    With Python's own thresholds the search costs more than reading the records that brought it about (ADR 0094). What is
    garbage by now stays: hundreds of objects, and finding them would cost a tenth of the start.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()
    return gc.get_freeze_count()


def end_within(seconds: float, code: int) -> None:
    """End this process then, whatever in it still waits: one that was told to stop must not hang in a library's task."""

    def end() -> None:
        logs.log("process.forced", level="WARNING")
        os._exit(code)

    last = threading.Timer(seconds, end)
    last.daemon = True
    last.start()
