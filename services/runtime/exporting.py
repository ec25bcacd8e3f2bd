"""Where spans and metrics go: OTLP over HTTP or gRPC as the OTEL_* variables say, and the Prometheus registry."""

import os
from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExporter
from prometheus_client import CollectorRegistry

EXPORT_SECONDS = 2.0
"""With OpenTelemetry's own 10 s a process needs as long to stop while the collector is away."""


def span_exporter(environ: Mapping[str, str] = os.environ) -> SpanExporter | None:
    """The exporter of spans, or None where no endpoint is set."""
    if not _wanted(environ, "TRACES"):
        return None
    if _grpc(environ, "TRACES"):
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc  # noqa: PLC0415

        return Grpc(timeout=_timeout(environ, "TRACES"))
    return OTLPSpanExporter(timeout=_timeout(environ, "TRACES"))


def meters(
    resource: Resource, environ: Mapping[str, str] = os.environ
) -> tuple[MeterProvider, CollectorRegistry]:
    """The provider of a process's meters, and the registry that its Prometheus page is written from."""
    registry = CollectorRegistry()
    readers: list[MetricReader] = [
        PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=registry)
    ]
    if _wanted(environ, "METRICS"):
        readers.append(PeriodicExportingMetricReader(_metric_exporter(environ)))
    return MeterProvider(readers, resource), registry


def _metric_exporter(environ: Mapping[str, str]) -> MetricExporter:
    if _grpc(environ, "METRICS"):
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Grpc  # noqa: PLC0415

        return Grpc(timeout=_timeout(environ, "METRICS"))
    return OTLPMetricExporter(timeout=_timeout(environ, "METRICS"))


def _wanted(environ: Mapping[str, str], signal: str) -> bool:
    chosen = environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip() or "otlp"
    return chosen != "none" and bool(_setting(environ, signal, "ENDPOINT"))


def _grpc(environ: Mapping[str, str], signal: str) -> bool:
    """gRPC is imported only when it is asked for: it costs 8 MB in every process."""
    return _setting(environ, signal, "PROTOCOL") == "grpc"


def _timeout(environ: Mapping[str, str], signal: str) -> float | None:
    return None if _setting(environ, signal, "TIMEOUT") else EXPORT_SECONDS


def _setting(environ: Mapping[str, str], signal: str, name: str) -> str:
    own = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_{name}", "").strip()
    return own or environ.get(f"OTEL_EXPORTER_OTLP_{name}", "").strip()
