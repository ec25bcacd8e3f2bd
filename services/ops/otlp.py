"""Reads OTLP/HTTP trace requests (protobuf, gzip allowed) into rows; what is not on the allow-list is dropped again."""

import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire

from services.runtime.scrubbing import ALLOWED

MAX_BYTES = 8_000_000
"""Of a request as it comes, and also unpacked: a small body must not become a large one."""
KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


OUR_QUESTIONS = frozenset(f"GET /v1/operator/{what}" for what in ("cases", "matches", "stats", "webhooks"))
"""What the page itself asks every few seconds: three days of it would be more spans than are kept of everything."""
QUICK = 1_000_000_000
"""Nanoseconds within which an answer is nothing to look at."""


class NotOtlp(Exception):
    """The body is not an OTLP trace request; the text says why."""


class SpanRow(NamedTuple):
    """A span; times are nanoseconds since 1970, `attributes` and `links` JSON texts."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    started: int
    ended: int
    error: str
    case_id: str
    report_id: str
    attributes: str
    links: str


def read(body: bytes, encoding: str) -> list[SpanRow]:
    """The spans of a request, but for quick and good answers to what the page itself asks. Raises NotOtlp."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(_unpacked(body) if encoding == "gzip" else body)
    except (DecodeError, zlib.error):
        raise NotOtlp("the body is not an OTLP trace request in protobuf") from None
    return [row for row in _spans(request) if not _ours(row)]


def _ours(row: SpanRow) -> bool:
    return row.name in OUR_QUESTIONS and not row.error and row.ended - row.started < QUICK


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    plain = unpacking.decompress(body, MAX_BYTES)
    if unpacking.unconsumed_tail:
        raise NotOtlp(f"the body is larger than {MAX_BYTES} bytes when unpacked")
    return plain


def _spans(request: ExportTraceServiceRequest) -> Iterator[SpanRow]:
    for resource in request.resource_spans:
        named = {item.key: item.value.string_value for item in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _row(span, named.get("service.name", "?"))


def _row(span: Wire, service: str) -> SpanRow:
    attributes = _allowed(span.attributes)
    links = [
        {"trace": link.trace_id.hex(), "span": link.span_id.hex(), **_allowed(link.attributes)}
        for link in span.links
    ]
    failed = span.status.code == 2
    return SpanRow(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=service,
        name=span.name[:200],
        kind=KINDS[span.kind] if span.kind < len(KINDS) else KINDS[0],
        started=span.start_time_unix_nano,
        ended=max(span.end_time_unix_nano, span.start_time_unix_nano),
        error=str(attributes.get("error.type", "error")) if failed else "",
        case_id=str(attributes.get("netral.case.id", "")),
        report_id=str(attributes.get("netral.report.id", "")),
        attributes=json.dumps(attributes),
        links=json.dumps(links),
    )


def _allowed(attributes: Any) -> dict[str, Any]:
    return {item.key: _value(item.value) for item in attributes if item.key in ALLOWED}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind in ("string_value", "int_value", "bool_value", "double_value") else ""
