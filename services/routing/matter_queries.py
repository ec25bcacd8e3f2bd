"""Which persons wait where, since when; each page is read from an index, however deep it lies."""

from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing import views_tables as tables
from services.routing.paging import Cursor
from services.routing.projecting import Row


class MatterQueries:
    """Reads of the model that `matters` keeps."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(
        self,
        owner: str | None,
        state: str | None,
        after: Cursor | None,
        limit: int,
        *,
        orphans: bool = False,
        over_limit: bool = False,
    ) -> list[Row]:
        """Open matters, the longest waiting first; `after` is the last one seen (since, case id and ref).

        `orphans`: only those without an owner, of which there must never be one. `over_limit`: only those with a limit
        that is over.
        """
        c = tables.matters.c
        query = select(tables.matters).where(c.closed.is_(False))
        query = query.where(c.owner.is_(None)) if orphans else query
        query = query.where(c.owner == owner) if owner else query
        query = query.where(c.state == state) if state else query
        query = query.where(c.late.is_(True)) if over_limit else query
        if after:
            at, key = after
            case_id, _, ref = key.partition("/")
            query = query.where(tuple_(c.since, c.case_id, c.ref) > tuple_(at, case_id, ref))
        return await self._all(query.order_by(c.since, c.case_id, c.ref).limit(limit))

    async def _all(self, query: Select[Any]) -> list[Row]:
        async with self._engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]
