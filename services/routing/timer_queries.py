"""Which time limits run, of a case or of all; the rows behind the broker's timers, each answered by an index."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing import views_tables as tables
from services.routing.views import Row

PAGE = 200


class TimerQueries:
    """Reads of the timers that `matters` keeps: those that have not spoken."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def running(self, case_id: str) -> tuple[int, list[Row]]:
        """The version of a case, -1 if there is none, and its timers in order of time."""
        t, v = tables.timers.c, tables.versions.c
        found = await self._all(select(v.version).where(v.case_id == case_id))
        rows = await self._all(select(tables.timers).where(t.case_id == case_id))
        # asked for what has not fired, SQLite would go through that of all cases
        left = sorted((row for row in rows if not row["fired"]), key=lambda row: row["at"])
        return (int(found[0]["version"]) if found else -1), left

    async def overdue(self, now: datetime) -> AsyncIterator[Row]:
        """Timers whose time has come, in order of time."""
        async for page in self._pages(tables.timers.c.at <= now):
            for row in page:
                yield row

    def coming(self, now: datetime, until: datetime | None) -> AsyncIterator[list[Row]]:
        """Timers whose time comes until an instant, or ever; in pages, in order of time."""
        at = tables.timers.c.at
        return self._pages(at > now, *([at <= until] if until else []))

    async def _pages(self, *wanted: ColumnElement[bool]) -> AsyncIterator[list[Row]]:
        c = tables.timers.c
        key = (c.at, c.case_id, c.ref, c.agency, c.last_day, c.level)
        query = select(tables.timers).where(c.fired.is_(False), *wanted).order_by(*key).limit(PAGE)
        page = await self._all(query)
        while page:
            yield page
            last = tuple_(*(page[-1][column.name] for column in key))
            page = await self._all(query.where(tuple_(*key) > last)) if len(page) == PAGE else []

    async def _all(self, query: Select[Any]) -> list[Row]:
        async with self._engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]
