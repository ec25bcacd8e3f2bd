"""Spans inside a request or a handling: the wait for a database, from asking until what was asked is on disk."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanKind, Tracer, use_span
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.telemetry import is_unrecorded, mark_failed


@contextmanager
def storing(tracer: Tracer, engine: AsyncEngine, table: str, rows: int = 1) -> Iterator[None]:
    """The span of a write into `table`: the wait for a commit that many share. It holds no statement."""
    if is_unrecorded():
        yield
        return
    span = tracer.start_span(
        f"INSERT {table}",
        kind=SpanKind.CLIENT,
        attributes={
            "db.system.name": engine.dialect.name,
            "db.operation.name": "INSERT",
            "db.collection.name": table,
            **({"db.operation.batch.size": rows} if rows > 1 else {}),
        },
    )
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as problem:
            mark_failed(span, type(problem).__name__)
            raise
