"""Tracing into memory, and log lines into a list."""

import json
import logging
import sys
from io import StringIO

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.runtime import logs
from services.runtime.settings import Settings
from services.runtime.telemetry import set_up


@pytest.fixture
def spans(monkeypatch):
    """`spans()` are the finished spans as they would leave the process; `spans.telemetry` makes them."""
    for name in ("OTEL_SDK_DISABLED", "OTEL_TRACES_SAMPLER"):
        monkeypatch.delenv(name, raising=False)
    exporter = InMemorySpanExporter()
    telemetry = set_up("intake", Settings(), exporter=exporter)

    def finished():
        telemetry.flush()
        return exporter.get_finished_spans()

    finished.telemetry = telemetry
    yield finished
    telemetry.shutdown()


@pytest.fixture
def lines():
    """`lines()` are the log lines so far, as this process wrote them."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    logs.configure("intake", "DEBUG", stream=stream)

    def written():
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield written
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.getLogger("netral").setLevel(logging.NOTSET)
