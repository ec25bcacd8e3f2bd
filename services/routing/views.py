"""Routing's read model: kept from the streams in grouped commits, asked by the HTTP doors."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.events import CaseDecided, CaseOffered, CaseUnroutable, Event, NoticeSent
from services.routing import views_tables as tables
from services.runtime.database import insert_new
from services.runtime.grouping import Grouped

Row = dict[str, Any]
Cursor = tuple[datetime, str]


class Entry(NamedTuple):
    """An event with its place in its stream; no event where the message was none of ours."""

    stream: str
    seq: int
    event: Event | None


class Views:
    """Cases, offers, inboxes and notices. Writing an event again changes nothing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._writing: Grouped[Entry] = Grouped(self.keep_all)

    async def open(self) -> None:
        """Create what is missing."""
        async with self.engine.begin() as connection:
            await connection.run_sync(tables.metadata.create_all)

    async def keep(self, entry: Entry) -> None:
        """Return once an event is in the read model, durably; calls share commits. Raises SQLAlchemyError."""
        await self._writing.submit(entry)

    async def keep_all(self, entries: Sequence[Entry]) -> None:
        """Write events and how far their streams are read, in one transaction. Raises SQLAlchemyError."""
        rows: dict[Any, list[Row]] = defaultdict(list)
        for entry in entries:
            for table, row in _rows(entry.event):
                rows[table].append(row)
        async with self.engine.begin() as connection:
            for table, values in rows.items():
                await connection.execute(insert_new(self.engine, table), values)
            for stream, seq in sorted(
                {entry.stream: entry.seq for entry in sorted(entries, key=_seq)}.items()
            ):
                await self._advance(connection, stream, seq)

    async def position(self, stream: str) -> int:
        """The highest sequence of a stream that is in the read model; 0 for none."""
        rows = await self._all(select(tables.positions.c.seq).where(tables.positions.c.stream == stream))
        return int(rows[0]["seq"]) if rows else 0

    async def case(self, wanted: str) -> Row | None:
        """A case by its own id, its report's id or its ticket."""
        c = tables.cases.c
        found = or_(c.case_id == wanted, c.report_id == wanted, c.ticket == wanted.upper())
        rows = await self._all(select(tables.cases).where(found))
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

    async def notices(self, case_id: str) -> list[Row]:
        return await self._all(select(tables.notices).where(tables.notices.c.case_id == case_id))

    async def unroutable(self, case_id: str | None = None) -> list[Row]:
        """The cases nobody owns, oldest first, or the one."""
        query = select(tables.unroutable).order_by(tables.unroutable.c.at)
        return await self._all(query.where(tables.unroutable.c.case_id == case_id) if case_id else query)

    async def holds(self, agency: str, office: str | None, case_id: str) -> bool:
        """Whether a case lies in the inbox of an agency, or of one of its offices."""
        c = tables.inbox.c
        mine = [c.agency == agency, c.case_id == case_id, *([c.office == office] if office else [])]
        return bool(await self._all(select(c.case_id).where(*mine).limit(1)))

    async def inbox(
        self, agency: str, office: str | None, role: str | None, after: Cursor | None, limit: int
    ) -> list[Row]:
        """The newest cases of an inbox, each once; `after` is the last one seen (opening and case id)."""
        c = tables.inbox.c
        query = select(c.case_id, c.opened_at).where(c.agency == agency).distinct()
        query = query.where(c.office == office) if office else query
        query = query.where(c.role == role) if role else query
        if after:
            at, case_id = after
            query = query.where(or_(c.opened_at < at, and_(c.opened_at == at, c.case_id > case_id)))
        return await self._all(query.order_by(c.opened_at.desc(), c.case_id).limit(limit))

    async def _all(self, query: Select[Any]) -> list[Row]:
        async with self.engine.connect() as connection:
            return [_aware(dict(row._mapping)) for row in await connection.execute(query)]

    async def _advance(self, connection: AsyncConnection, stream: str, seq: int) -> None:
        c = tables.positions.c
        await connection.execute(insert_new(self.engine, tables.positions), {"stream": stream, "seq": seq})
        further = update(tables.positions).where(c.stream == stream, c.seq < seq).values(seq=seq)
        await connection.execute(further)


def _seq(entry: Entry) -> int:
    return entry.seq


def _rows(event: Event | None) -> list[tuple[Any, Row]]:
    match event:
        case CaseDecided():
            return [(tables.cases, _case(event))]
        case CaseOffered():
            return [(tables.offers, _offer(event)), *((tables.inbox, row) for row in _inbox(event))]
        case CaseUnroutable():
            data = event.data
            row = {
                "ticket": data.ticket,
                "at": event.time,
                "persons": " ".join(data.persons),
                "reason": data.reason,
            }
            return [(tables.unroutable, {"case_id": str(data.case_id), **row})]
        case NoticeSent():
            row = event.data.model_dump(mode="json")
            return [(tables.notices, {**row, "at": event.time})]
    return []


def _case(event: CaseDecided) -> Row:
    data = event.data
    return {
        "case_id": str(data.case_id),
        "report_id": str(data.report_id),
        "ticket": data.ticket,
        "region": data.region,
        "opened_at": event.time,
        "event": event.model_dump_json(by_alias=True),
    }


def _offer(event: CaseOffered) -> Row:
    data = event.data
    return {
        "case_id": str(data.case_id),
        "agency": data.agency,
        "person": data.person,
        "at": event.time,
        "event": event.model_dump_json(by_alias=True),
    }


def _inbox(event: CaseOffered) -> list[Row]:
    """A row for each office and role that is active now; an unknown office is the empty string."""
    data = event.data
    held = {(part.office or "", part.role) for part in data.assignments if part.active}
    shared = {"agency": data.agency, "case_id": str(data.case_id), "opened_at": event.time}
    return [{**shared, "office": office, "role": role} for office, role in sorted(held)]


def _aware(row: Row) -> Row:
    """SQLite forgets the zone of an instant; all of ours are UTC."""
    return {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
        for name, value in row.items()
    }
