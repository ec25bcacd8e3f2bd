"""What leaves the process in spans, and how a trace crosses a boundary."""

import asyncio
import socket
from pathlib import Path

import pytest
from faststream.exceptions import AckMessage, NackMessage, RejectMessage
from opentelemetry.exporter.otlp.proto.http import _common
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from contracts.topology import template_of
from services.runtime.scrubbing import ALLOWED
from services.runtime.settings import Settings
from services.runtime.spans import ids_in, note, outcome_of, publish_headers
from services.runtime.telemetry import sender_of, set_up

CANARY = "canary-7f3a@example.com"
CASE = "11111111-1111-5111-8111-111111111111"
TRACEPARENT = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


def test_a_publish_is_one_producer_span_named_by_the_template(spans):
    subject = f"cases.{CASE}.decided"
    with publish_headers(spans.telemetry, subject, **{"messaging.batch.message_count": 7}) as headers:
        pass
    [span] = spans()
    assert (span.name, span.kind) == ("publish cases.{case_id}.decided", SpanKind.PRODUCER)
    assert dict(span.attributes) == {
        "messaging.system": "nats",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": "cases.{case_id}.decided",
        "messaging.destination.template": "cases.{case_id}.decided",
        "messaging.batch.message_count": 7,
        "netral.case.id": CASE,
    }
    assert sender_of(headers) == SpanContext(
        span.context.trace_id, span.context.span_id, True, TraceFlags(span.context.trace_flags), TraceState()
    )


def test_a_failed_publish_says_the_type_of_the_error_only(spans):
    with pytest.raises(ValueError, match="canary"), publish_headers(spans.telemetry, "reports.r.accepted"):
        raise ValueError(CANARY)
    [span] = spans()
    assert span.attributes["error.type"] == "ValueError"
    assert CANARY not in span.to_json()


def test_without_telemetry_a_publish_has_no_headers():
    with publish_headers(None, "reports.r.accepted") as headers:
        assert headers == {}


def test_two_hundred_cases_have_one_span_name(spans):
    for number in range(200):
        with publish_headers(spans.telemetry, f"cases.{number}.offered.BKN.p{number}"):
            pass
    assert {span.name for span in spans()} == {"publish cases.{case_id}.offered.{agency}.{ref}"}


def test_what_is_not_on_the_list_does_not_leave_the_process(spans):
    tracer = spans.telemetry.tracer
    link = Link(SpanContext(1, 1, True), {"note": CANARY, "netral.link.reason": "caller"})
    with tracer.start_as_current_span(
        "x", links=[link], attributes={"url.full": CANARY, "url.scheme": "http"}
    ) as span:
        span.add_event("exception", {"exception.message": CANARY})
        span.record_exception(ValueError(CANARY))
        span.set_status(Status(StatusCode.ERROR, CANARY))
    [span] = spans()
    assert CANARY not in span.to_json()
    assert dict(span.attributes) == {"url.scheme": "http"}
    assert dict(span.links[0].attributes) == {"netral.link.reason": "caller"}
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.end_time > span.start_time


def test_every_attribute_that_may_leave_is_in_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    assert [name for name in ALLOWED if f"`{name}`" not in page] == []


def test_the_resource_names_the_service_and_its_instance(spans):
    with spans.telemetry.tracer.start_as_current_span("x"):
        pass
    resource = spans()[0].resource.attributes
    assert resource["service.name"] == "netral-intake"
    assert resource["service.namespace"] == "netral"
    assert resource["service.version"]
    assert socket.gethostname() not in resource["service.instance.id"]


def test_neither_tracestate_nor_baggage_gets_in():
    incoming = {"traceparent": TRACEPARENT, "tracestate": f"a={CANARY}", "baggage": f"email={CANARY}"}
    sender = sender_of(incoming)
    assert sender.trace_id == int("ab" * 16, 16)
    assert not sender.trace_state


@pytest.mark.parametrize("bad", ["", "00-0-0-01", CANARY, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_traceparent_that_is_none_is_ignored(bad):
    assert sender_of({"traceparent": bad}) is None


@pytest.mark.parametrize(
    ("subject", "ids"),
    [
        (f"notices.{CASE}.n1", {"case_id": CASE}),
        ("reports.r1.accepted", {"report_id": "r1"}),
        ("parked.CASES.routing.7", {}),
        ("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.CASES.routing", {}),
    ],
)
def test_ids_are_taken_from_the_subject(subject, ids):
    assert ids_in(template_of(subject), subject) == ids


def test_a_sampler_named_in_the_environment_is_used(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    telemetry = set_up("intake", Settings(), exporter=InMemorySpanExporter())
    assert not telemetry.tracer.start_span("x").is_recording()
    telemetry.shutdown()


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9"])
def test_spans_are_recorded_only_where_they_are_sent_but_every_line_has_a_trace(monkeypatch, endpoint):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)
    telemetry = set_up("intake", Settings())
    span = telemetry.tracer.start_span("x")
    assert span.is_recording() == bool(endpoint)
    assert span.get_span_context().is_valid
    telemetry.shutdown()


def test_of_an_endless_traceparent_nothing_is_kept():
    assert sender_of({"traceparent": TRACEPARENT})
    assert sender_of({"traceparent": TRACEPARENT.replace("00-", "01-", 1) + "-" + "a" * 9000}) is None


def test_a_publish_within_what_nobody_records_still_carries_its_trace():
    telemetry = set_up("intake", Settings())
    with (
        telemetry.tracer.start_as_current_span("x") as span,
        publish_headers(telemetry, "reports.r.accepted") as headers,
    ):
        sender = sender_of(headers)
    assert sender
    assert sender.trace_id == span.get_span_context().trace_id
    telemetry.shutdown()


def test_a_process_stops_although_the_collector_is_away(monkeypatch, lines):
    """OpenTelemetry's own limit is made longer than any test may take."""
    monkeypatch.setattr(_common, "_DEFAULT_TIMEOUT", 3600)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # takes connections and never answers
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        telemetry = set_up("intake", Settings())
        with publish_headers(telemetry, "reports.r.accepted"):
            pass
        telemetry.shutdown()


@pytest.mark.parametrize(
    ("problem", "notes", "outcome"),
    [
        (None, {}, ("handled", None)),
        (AckMessage(), {"outcome": "parked", "error": "ValueError"}, ("parked", "ValueError")),
        (NackMessage(delay=1), {"outcome": "parked"}, ("retry", None)),
        (RejectMessage(), {}, ("failed", "RejectMessage")),
        (asyncio.CancelledError(), {}, ("retry", "CancelledError")),
        (ValueError(CANARY), {}, ("failed", "ValueError")),
    ],
)
def test_the_outcome_follows_what_faststream_is_told(problem, notes, outcome):
    assert outcome_of(problem, notes) == outcome


def test_a_note_outside_of_a_handler_is_nothing():
    note(persons=2)
