"""Log lines by OTLP are the lines of standard output, in their trace, and only where asked for."""

import json
import logging

from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import get_current_span

from services.runtime.log_export import LinesByOtlp, wanted
from services.runtime.logs import log

CANARY = "canary-7f3a@example.com"


def test_lines_are_sent_only_where_it_is_asked_for():
    assert wanted({"OTEL_LOGS_EXPORTER": "otlp"})
    assert not wanted({})
    assert not wanted({"OTEL_LOGS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})


def test_what_is_sent_is_what_is_written_in_the_trace_it_belongs_to(spans, lines):
    memory = InMemoryLogRecordExporter()
    handler = LinesByOtlp("intake", Resource({}), memory)
    logging.getLogger().addHandler(handler)
    try:
        with spans.telemetry.tracer.start_as_current_span("x"):
            trace = get_current_span().get_span_context().trace_id
            log("message.parked", level="ERROR", reason="code")
        logging.getLogger("library").warning("said %s", CANARY)
    finally:
        handler.close()
        logging.getLogger().removeHandler(handler)
    sent = [data.log_record for data in memory.get_finished_logs()]
    assert [json.loads(str(record.body)) for record in sent] == lines()
    assert (sent[0].trace_id, sent[0].severity_text) == (trace, "ERROR")
    assert CANARY not in str([record.body for record in sent])
