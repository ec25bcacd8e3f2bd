"""The telemetry of a process: its tracer and instruments, and how a trace crosses a boundary.

The OTEL_* variables are OpenTelemetry's own convention and are honoured as they are; without an endpoint
nothing is sent anywhere. docs/telemetry.md lists every span, attribute and log line.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from uuid import UUID, uuid5

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NoOpTracer, Span, SpanContext, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry

from contracts.topology import CONSUMERS
from services.runtime.exporting import EXPORT_SECONDS, meters, span_exporter
from services.runtime.metrics import SILENT, Counted, Instruments, instruments
from services.runtime.scrubbing import ScrubbingExporter
from services.runtime.settings import Settings

_INSTANCES = UUID(
    "4d63009a-8d0f-11ee-aad7-4c796ed8e320"
)  # the namespace OpenTelemetry names for service.instance.id
_TRACE_CONTEXT = TraceContextTextMapPropagator()
LONGEST = 100
"""Characters of a `traceparent`; today's have 55, and strangers must not fill our memory with what is remembered of them."""


@dataclass(frozen=True)
class Telemetry:
    """The tracing and counting of one process; `registry` is what its Prometheus page is written from."""

    tracer: Tracer
    provider: TracerProvider
    instruments: Instruments = SILENT
    metering: MeterProvider | None = None
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def flush(self, seconds: float = EXPORT_SECONDS) -> bool:
        """Send what has ended; False if that took longer than `seconds`."""
        return self.provider.force_flush(int(seconds * 1000))

    def shutdown(self) -> None:
        """Send what has ended, then stop. Blocks for the exporter's timeout at the longest."""
        self.provider.shutdown()
        if self.metering:
            self.metering.shutdown(EXPORT_SECONDS * 1000)


def set_up(service: str, settings: Settings, *, exporter: SpanExporter | None = None) -> Telemetry:
    """The tracing of `service` (its short name), to `exporter` or to where OTEL_EXPORTER_OTLP_* says."""
    resource = _resource(service, settings)
    target = exporter or span_exporter()
    provider = TracerProvider(ALWAYS_OFF if target is None else None, resource)
    if target is not None:
        provider.add_span_processor(BatchSpanProcessor(ScrubbingExporter(target)))
    metering, registry = meters(resource)
    made = instruments(metering.get_meter("netral", _version()))
    for consumer in (one.name for one in CONSUMERS if one.service == service):
        for seldom in (Counted.REDELIVERED, Counted.PARKED):
            made.count(seldom, 0, consumer=consumer)  # from nothing to one is no increase to Prometheus
    return Telemetry(provider.get_tracer("netral", _version()), provider, made, metering, registry)


def instruments_of(telemetry: Telemetry | None) -> Instruments:
    """Its instruments, or some that record nothing."""
    return SILENT if telemetry is None else telemetry.instruments


def tracer_of(telemetry: Telemetry | None) -> Tracer:
    """Its tracer, or one that records nothing."""
    return NoOpTracer() if telemetry is None else telemetry.tracer


def trace_headers() -> dict[str, str]:
    """The `traceparent` of the current span, for a message or request to a service of ours; else empty."""
    carrier: dict[str, str] = {}
    _TRACE_CONTEXT.inject(carrier)
    return {name: value for name, value in carrier.items() if name == "traceparent"}


def sender_of(headers: Mapping[str, str]) -> SpanContext | None:
    """The span that a `traceparent` names, or None. `tracestate` is dropped: anybody can write into it."""
    given = headers.get("traceparent")
    return _sender(given) if given and len(given) <= LONGEST else None


@lru_cache(1024)
def _sender(traceparent: str) -> SpanContext | None:
    """Read once: all that follows from a report names the same one."""
    within = _TRACE_CONTEXT.extract({"traceparent": traceparent}, Context())
    context = trace.get_current_span(within).get_span_context()
    return context if context.is_valid else None


def child_of(sender: SpanContext | None) -> Context:
    """The context whose spans are children of `sender`, or roots."""
    if sender is None:
        return Context()
    return trace.set_span_in_context(trace.NonRecordingSpan(sender), Context())


def is_unrecorded() -> bool:
    """Whether we are inside a span that nobody records; of those within it nothing would be seen either."""
    span = trace.get_current_span()
    return not span.is_recording() and span.get_span_context().is_valid


def mark_failed(span: Span, error: str) -> None:
    """An error is a type and a status; its text stays inside."""
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))


def _resource(service: str, settings: Settings) -> Resource:
    process = f"{service}/{socket.gethostname()}/{os.getpid()}/{settings.data_dir.absolute()}"
    return Resource.create(
        {
            "service.name": f"netral-{service}",
            "service.namespace": "netral",
            "service.version": _version(),
            "service.instance.id": str(uuid5(_INSTANCES, process)),
        }
    )


def _version() -> str:
    try:
        return version("netral")
    except PackageNotFoundError:
        return "0"
