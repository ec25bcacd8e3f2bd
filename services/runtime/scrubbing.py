"""What may leave the process in a span: an allow-list of attributes, and nothing anybody else wrote."""

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import AttributeValue

ALLOWED = frozenset(
    {
        "db.collection.name",
        "db.operation.batch.size",
        "db.operation.name",
        "db.system.name",
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.destination.template",
        "messaging.message.id",
        "messaging.nats.delivery.count",
        "messaging.nats.stream",
        "messaging.nats.stream.sequence",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.system",
        "netral.agency",
        "netral.case.id",
        "netral.link.reason",
        "netral.notice.step",
        "netral.outcome",
        "netral.report.id",
        "netral.rulebook.digest",
        "netral.rulebook.version",
        "netral.rules",
        "netral.smtp.answer",
        "server.address",
        "server.port",
        "url.scheme",
    }
)
"""Every attribute of ours; docs/telemetry.md explains each."""

_Attributes = Mapping[str, AttributeValue] | None


class ScrubbingExporter(SpanExporter):
    """Passes spans on to `inner` without status descriptions and attributes that are not allowed."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def scrubbed(span: ReadableSpan) -> ReadableSpan:
    """A copy of `span` that holds allowed attributes only; an exception keeps its event, but says nothing."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        events=[Event(event.name, _allowed(event.attributes), event.timestamp) for event in span.events],
        links=[Link(link.context, _allowed(link.attributes)) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _allowed(attributes: _Attributes) -> dict[str, AttributeValue]:
    return {name: value for name, value in (attributes or {}).items() if name in ALLOWED}
