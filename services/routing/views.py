"""Routing's read model: kept from the streams in grouped commits, asked by the HTTP doors."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, func, inspect, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing import views_tables as tables
from services.routing.links import reports_of_duplicates
from services.routing.projecting import Entry, Row, keep_in
from services.runtime.database import writing


class Views:
    """Cases, offers, inboxes and notices. Writing an event again changes nothing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def open(self) -> None:
        """Create what is missing. A model of another version is thrown away: it is filled again from the streams."""
        async with writing(self.engine) as connection:
            if await connection.run_sync(_of_another_version):
                await connection.run_sync(tables.metadata.drop_all)
            await connection.run_sync(tables.metadata.create_all)

    async def keep_all(self, entries: Sequence[Entry]) -> None:
        """Write events and how far their streams are read, in one transaction. Raises SQLAlchemyError."""
        async with writing(self.engine) as connection:
            await keep_in(connection, entries)

    async def position(self, stream: str) -> int:
        """The highest sequence of a stream that is in the read model; 0 for none."""
        rows = await self._all(select(tables.positions.c.seq).where(tables.positions.c.stream == stream))
        return int(rows[0]["seq"]) if rows else 0

    async def case(self, wanted: str) -> Row | None:
        """A case by its own id, or by the id or the ticket of any of its reports."""
        c, r, ticket = tables.cases.c, tables.case_reports.c, wanted.upper()
        ways = (
            select(c.case_id).where(c.case_id == wanted),
            select(c.case_id).where(c.report_id == wanted),
            select(c.case_id).where(c.ticket == ticket),
            select(r.case_id).where(r.report_id == wanted),
            select(r.case_id).where(r.ticket == ticket),
        )
        # Two questions, asked whatever the first finds: of one PostgreSQL makes a scan, and a case
        # that is hidden must cost what no case costs.
        ids = await self._all(union_all(*ways).limit(1))
        rows = await self._all(select(tables.cases).where(c.case_id == (ids[0]["case_id"] if ids else "")))
        return rows[0] if rows else None

    async def offers(self, case_ids: Sequence[str], agency: str | None = None) -> dict[str, list[Row]]:
        """The offers of each case, of one agency or of all, in the order of agencies and persons."""
        c = tables.offers.c
        query = (
            select(tables.offers)
            .where(c.case_id.in_(case_ids))
            .order_by(c.agency, func.length(c.person), c.person)
        )
        found: dict[str, list[Row]] = {case_id: [] for case_id in case_ids}
        for row in await self._all(query.where(c.agency == agency) if agency else query):
            found[row["case_id"]].append(row)
        return found

    async def report_counts(self, case_ids: Sequence[str]) -> dict[str, int]:
        """How many reports each case has with its duplicates; 1 for a case older than the links."""
        c = tables.case_reports.c
        query = select(c.case_id, func.count().label("n")).where(c.case_id.in_(case_ids)).group_by(c.case_id)
        found = dict.fromkeys(case_ids, 1) | {row["case_id"]: row["n"] for row in await self._all(query)}
        for row in await self._all(reports_of_duplicates(case_ids)):
            found[row["case_id"]] += row["n"]
        return found

    async def matters(self, case_ids: Sequence[str]) -> dict[str, list[Row]]:
        """What every person's matter is now, of each case."""
        c = tables.matters.c
        query = select(tables.matters).where(c.case_id.in_(case_ids)).order_by(func.length(c.ref), c.ref)
        found: dict[str, list[Row]] = {case_id: [] for case_id in case_ids}
        for row in await self._all(query):
            found[row["case_id"]].append(row)
        return found

    async def steps(self, case_id: str) -> list[Row]:
        """The steps of a case, in their order."""
        c = tables.steps.c
        return await self._all(select(tables.steps).where(c.case_id == case_id).order_by(c.number))

    async def sealed_steps(self) -> list[Row]:
        """The first and the last step with sealed words; nothing where there is none."""
        c = tables.steps.c
        query = select(tables.steps).where(c.sealed.is_(True)).limit(1)
        return [*await self._all(query.order_by(c.at)), *await self._all(query.order_by(c.at.desc()))]

    async def holds(self, agency: str, office: str | None, case_id: str) -> bool:
        """Whether a case lies in the inbox of an agency, or of one of its offices."""
        c = tables.inbox.c
        mine = [c.agency == agency, c.case_id == case_id, *([c.office == office] if office else [])]
        return bool(await self._all(select(c.case_id).where(*mine).limit(1)))

    async def version(self, case_id: str) -> int:
        """The number of the last step of a case that is in the read model; 0 for its opening."""
        c = tables.versions.c
        rows = await self._all(select(c.version).where(c.case_id == case_id))
        return int(rows[0]["version"]) if rows else 0

    async def _all(self, query: Select[Any] | CompoundSelect[Any]) -> list[Row]:
        async with self.engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]


def _of_another_version(connection: Connection) -> bool:
    """Whether tables that are there have other columns or indexes than ours, or some of ours are missing."""
    found = inspect(connection)
    there = [table for table in tables.metadata.tables.values() if found.has_table(table.name)]
    if len(there) not in (0, len(tables.metadata.tables)):
        return True
    return any(
        {column["name"] for column in found.get_columns(table.name)} != set(table.columns.keys())
        or {str(index["name"]) for index in found.get_indexes(table.name)} != {i.name for i in table.indexes}
        for table in there
    )


__all__ = ["Entry", "Row", "Views"]
