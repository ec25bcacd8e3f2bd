"""The questions people ask of all cases: who waits where since when, and how many; each answered by an index."""

from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.codes import Agency
from contracts.steps import OPERATOR
from services.routing import views_tables as tables
from services.routing.paging import Cursor
from services.routing.projecting import Row

SMALL = 5
"""Counts below this are not shown: a single case in one place is a person."""

OVER = ("OVERDUE", "QUEUE")
"""The levels of timers that say a limit is over."""


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
        query = query.where(tuple_(c.case_id, c.ref).in_(_late())) if over_limit else query
        if after:
            at, key = after
            case_id, _, ref = key.partition("/")
            query = query.where(tuple_(c.since, c.case_id, c.ref) > tuple_(at, case_id, ref))
        return await self._all(query.order_by(c.since, c.case_id, c.ref).limit(limit))

    async def counts(self, by: list[str]) -> list[Row]:
        """Persons and cases by some of owner, state, stage, class and province; closed ones have no owner."""
        c = tables.tallies.c
        columns = [c[name] for name in by]
        total = [func.sum(c.persons).label("persons"), func.sum(c.cases).label("cases")]
        query = select(*columns, *total).where(c.persons > 0).group_by(*columns).order_by(*columns)
        return [_hidden(row) for row in await self._all(query)]

    async def ageing(self) -> list[Row]:
        """For each body that holds something: how many persons, how long the oldest waits, how many are overdue."""
        m, t = tables.matters.c, tables.timers.c
        held = {row["owner"]: row for row in await self.counts(["owner"]) if row["owner"]}
        found = []
        for body in (*Agency, OPERATOR):
            if body not in held:
                continue
            oldest = await self._all(select(func.min(m.since).label("since")).where(m.owner == str(body)))
            late = select(func.count().label("n")).where(
                t.level.in_(OVER), t.fired.is_(True), t.agency == str(body)
            )
            overdue = (await self._all(late))[0]["n"]
            found.append({**held[body], "oldest_since": oldest[0]["since"], "overdue": _small(overdue)})
        return found

    async def _all(self, query: Select[Any]) -> list[Row]:
        async with self._engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]


def _late() -> Select[Any]:
    t = tables.timers.c
    return select(t.case_id, t.ref).where(t.level.in_(OVER), t.fired.is_(True))


def _hidden(row: Row) -> Row:
    return {**row, "persons": _small(row["persons"]), "cases": _small(row["cases"])}


def _small(count: int) -> int | str:
    return count if count == 0 or count >= SMALL else f"<{SMALL}"
