"""The read model of linked cases: of which case each is a duplicate, by the newest step that was read."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.steps import Link
from services.routing.views_tables import case_reports, cases, links

Row = dict[str, Any]


async def keep_links(connection: AsyncConnection, now: dict[str, Link | None]) -> None:
    """Bring what each case is linked to after its last step into the read model; a case that goes on has no row."""
    await connection.execute(delete(links).where(links.c.case_id.in_(now)))
    rows = [
        {"case_id": case_id, "root": str(link.to), "meant": str(link.meant)}
        for case_id, link in now.items()
        if link
    ]
    if rows:
        await connection.execute(insert(links), rows)


def reports_of_duplicates(case_ids: Sequence[str]) -> Select[tuple[str, int]]:
    """How many reports the duplicates of each case have, as `case_id` and `n`."""
    reports = case_reports.c
    joined = links.join(case_reports, reports.case_id == links.c.case_id)
    counted = select(links.c.root.label("case_id"), func.count().label("n")).select_from(joined)
    return counted.where(links.c.root.in_(case_ids)).group_by(links.c.root)


class LinkQueries:
    """Reads: of which case one is a duplicate, and which are duplicates of it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def roots(self, case_ids: Sequence[str]) -> dict[str, Row]:
        """For each linked case the one that goes on: `root` and its `ticket`."""
        goes_on = cases.c
        query = (
            select(links.c.case_id, links.c.root, goes_on.ticket)
            .select_from(links.join(cases, goes_on.case_id == links.c.root))
            .where(links.c.case_id.in_(case_ids))
        )
        return {row["case_id"]: row for row in await self._all(query)}

    async def duplicates(self, case_id: str) -> list[Row]:
        """The duplicates of a case with their tickets, in the order in which they were opened."""
        c = cases.c
        query = (
            select(links.c.case_id, c.ticket, c.opened_at)
            .select_from(links.join(cases, c.case_id == links.c.case_id))
            .where(links.c.root == case_id)
            .order_by(c.opened_at, c.case_id)
        )
        return await self._all(query)

    async def _all(self, query: Any) -> list[Row]:
        async with self._engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]
