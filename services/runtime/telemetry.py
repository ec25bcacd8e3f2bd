"""Tracing: the tracer of a process, where its spans go, and how a trace crosses a boundary.

The OTEL_* variables are OpenTelemetry's own convention and are honoured as they are; without an endpoint
nothing is sent anywhere. docs/telemetry.md lists every span, attribute and log line.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from uuid import UUID, uuid5

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NoOpTracer, Span, SpanContext, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.runtime.scrubbing import ScrubbingExporter
from services.runtime.settings import Settings

EXPORT_SECONDS = 2.0
"""With OpenTelemetry's own 10 s a process needs as long to stop while the collector is away."""
_INSTANCES = UUID(
    "4d63009a-8d0f-11ee-aad7-4c796ed8e320"
)  # the namespace OpenTelemetry names for service.instance.id
_TRACE_CONTEXT = TraceContextTextMapPropagator()


@dataclass(frozen=True)
class Telemetry:
    """The tracing of one process."""

    tracer: Tracer
    provider: TracerProvider

    def flush(self, seconds: float = EXPORT_SECONDS) -> bool:
        """Send what has ended; False if that took longer than `seconds`."""
        return self.provider.force_flush(int(seconds * 1000))

    def shutdown(self) -> None:
        """Send what has ended, then stop. Blocks for the exporter's timeout at the longest."""
        self.provider.shutdown()


def set_up(service: str, settings: Settings, *, exporter: SpanExporter | None = None) -> Telemetry:
    """The tracing of `service` (its short name), to `exporter` or to where OTEL_EXPORTER_OTLP_* says."""
    provider = TracerProvider(resource=_resource(service, settings))
    target = exporter or _otlp_exporter(os.environ)
    if target is not None:
        provider.add_span_processor(BatchSpanProcessor(ScrubbingExporter(target)))
    return Telemetry(provider.get_tracer("netral", _version()), provider)


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
    carrier = {"traceparent": headers.get("traceparent", "")}
    context = trace.get_current_span(_TRACE_CONTEXT.extract(carrier, Context())).get_span_context()
    return context if context.is_valid else None


def child_of(sender: SpanContext | None) -> Context:
    """The context whose spans are children of `sender`, or roots."""
    if sender is None:
        return Context()
    return trace.set_span_in_context(trace.NonRecordingSpan(sender), Context())


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


def _otlp_exporter(environ: Mapping[str, str]) -> SpanExporter | None:
    if not _any(environ, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    chosen = _any(environ, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
    return OTLPSpanExporter(timeout=None if chosen else EXPORT_SECONDS)


def _any(environ: Mapping[str, str], *names: str) -> bool:
    return any(environ.get(name, "").strip() for name in names)


def _version() -> str:
    try:
        return version("netral")
    except PackageNotFoundError:
        return "0"
