"""Keeps spans in one SQLite file for some days; whole traces are kept or dropped. Losing it loses nothing but a view."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ops.otlp import SpanRow
from services.runtime.database import insert_new

Row = dict[str, Any]
MINOR = ("GET %", "publish notices.%", "process notices.%")
"""Reading, and noting that a mail left: there are more of them than of all else, and the case tells the same."""
SLOW = 1_000_000_000
"""Nanoseconds."""
metadata = MetaData()
spans = Table(
    "spans",
    metadata,
    *(Column(name, String(32), primary_key=True) for name in ("trace_id", "span_id")),
    *(Column(name, String(200), nullable=False) for name in ("parent_id", "service", "name", "kind")),
    *(Column(name, BigInteger, nullable=False) for name in ("started", "ended")),
    *(Column(name, String(100), nullable=False) for name in ("error", "case_id", "report_id")),
    *(Column(name, Text, nullable=False) for name in ("attributes", "links")),
)
Index("spans_case", spans.c.case_id, spans.c.started)
Index("spans_report", spans.c.report_id, spans.c.started)
traces = Table(
    "traces",
    metadata,
    Column("trace_id", String(32), primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in ("started", "ended", "duration")),
    *(Column(name, String(200), nullable=False) for name in ("name", "service", "error", "case_id")),
    Column("spans", Integer, nullable=False),
)
Index("traces_newest", traces.c.started)
Index("traces_slowest", traces.c.duration)


class Spans:
    """Reads and writes; times are nanoseconds since 1970."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def open(self) -> None:
        """Make the tables. Raises SQLAlchemyError."""
        async with self.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    async def keep(self, rows: Sequence[SpanRow]) -> None:
        """Add spans; one that is there already changes nothing. Raises SQLAlchemyError."""
        if not rows:
            return
        async with self.engine.begin() as connection:
            await connection.execute(insert_new(self.engine, spans), [row._asdict() for row in rows])
            await self._summarise(connection, {row.trace_id for row in rows})

    async def _summarise(self, connection: AsyncConnection, ids: set[str]) -> None:
        """A trace is described by its earliest span; an error anywhere in it is an error of it."""
        found = await connection.execute(select(spans).where(spans.c.trace_id.in_(ids)))
        whole: dict[str, list[Any]] = defaultdict(list)
        for row in found:
            whole[row.trace_id].append(row)
        await connection.execute(delete(traces).where(traces.c.trace_id.in_(ids)))
        await connection.execute(insert(traces), [_summary(key, rows) for key, rows in whole.items()])

    async def newest(
        self, *, service: str = "", errors: bool = False, slower: float = 0, everything: bool = True
    ) -> list[Row]:
        """The newest hundred traces; `slower` is seconds. Without `everything` those that only read or note are left out.

        What is slow or failed is never left out.
        """
        query = select(traces).order_by(traces.c.started.desc()).limit(100)
        if not everything:
            minor = or_(*(traces.c.name.like(pattern) for pattern in MINOR))
            query = query.where(or_(~minor, traces.c.error != "", traces.c.duration >= SLOW))
        query = query.where(traces.c.service == service) if service else query
        query = query.where(traces.c.error != "") if errors else query
        query = query.where(traces.c.duration >= int(slower * 1e9)) if slower else query
        return await self._all(query)

    async def trace(self, trace_id: str) -> list[Row]:
        """The spans of a trace in the order they began."""
        return await self._all(select(spans).where(spans.c.trace_id == trace_id).order_by(spans.c.started))

    async def about(self, case_id: str) -> list[Row]:
        """The traces that a case or report was in, oldest first: its life as far as spans are kept."""
        c = spans.c
        inside = select(c.trace_id).where((c.case_id == case_id) | (c.report_id == case_id))
        return await self._all(select(traces).where(traces.c.trace_id.in_(inside)).order_by(traces.c.started))

    async def prune(self, before: int, most: int) -> int:
        """Drop traces that ended before `before`, and the oldest while there are more than `most` spans."""
        async with self.engine.begin() as connection:
            total = (await connection.execute(select(func.sum(traces.c.spans)))).scalar() or 0
            gone: list[str] = []
            oldest = select(traces.c.trace_id, traces.c.ended, traces.c.spans).order_by(traces.c.started)
            for row in await connection.execute(oldest.limit(5000)):
                if row.ended >= before and total <= most:
                    break
                gone.append(row.trace_id)
                total -= row.spans
            for start in range(0, len(gone), 500):
                part = gone[start : start + 500]
                await connection.execute(delete(spans).where(spans.c.trace_id.in_(part)))
                await connection.execute(delete(traces).where(traces.c.trace_id.in_(part)))
        return len(gone)

    async def _all(self, query: Any) -> list[Row]:
        async with self.engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]


def _summary(trace_id: str, rows: list[Any]) -> Row:
    first = min(rows, key=lambda row: (row.parent_id != "", row.started))
    started, ended = min(row.started for row in rows), max(row.ended for row in rows)
    return {
        "trace_id": trace_id,
        "started": started,
        "ended": ended,
        "duration": ended - started,
        "name": first.name,
        "service": first.service,
        "error": next((row.error for row in rows if row.error), ""),
        "case_id": next((row.case_id for row in rows if row.case_id), ""),
        "spans": len(rows),
    }


__all__ = ["Row", "Spans", "spans", "traces"]
