"""What a database still knows is told again to a stream that lost it: cases, reports, and how mails ended (ADR 0099).

Each event has one subject that is stored once, so repeating any part of it changes nothing.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Table, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.events import AnyEvent, Event, ReportAccepted, ReportLinkedData, ending_of
from services.intake.vault_tables import reports
from services.notifications.ledger_tables import notices
from services.routing import views_tables as views
from services.routing.core.fanout import linked
from services.routing.marks import Marks
from services.runtime.bus import Bus
from services.runtime.clock import now
from services.runtime.database import open_engine, writing
from services.runtime.reading import last_of_each, page_of

PAGE = 500
_RECORDS: tuple[Any, ...] = (views.cases, views.offers, views.case_reports, views.steps)
"""Tables that keep what CASES holds, in the order in which a case has it."""
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


async def tell_cases(bus: Bus, routing: str) -> tuple[int, list[str]]:
    """Tell CASES what only the read model holds: how many records, and the subjects where another record stands.

    Comes before `tell_reports`, else those are decided anew. Raises BrokerAway and SQLAlchemyError.
    """
    told, others = 0, list[str]()
    async with _opened(routing) as engine:
        for table in _RECORDS:
            async for events in _pages(engine, table):
                found = last_of_each(bus, "CASES", [_subject(event) for event in events])
                there = {stored.subject: stored.body async for stored in found}
                missing = [event for event in events if _subject(event) not in there]
                await bus.tell(missing)
                told += len(missing)
                known = [event for event in events if _subject(event) in there]
                others += [_subject(event) for event in known if _other(event, there[_subject(event)])]
    return told, others


async def tell_reports(bus: Bus, vault: str) -> int:
    """Tell REPORTS what only the vault holds; how many. Raises BrokerAway and SQLAlchemyError.

    Also those whose acceptance was not noted any more: whoever sent one may have our answer.
    """
    c, told, last = reports.c, 0, ""
    page = select(c.report_id, c.event).order_by(c.report_id).limit(PAGE)
    async with _opened(vault) as engine:
        while True:
            async with engine.connect() as connection:
                rows = (await connection.execute(page.where(c.report_id > last))).all()
            if not rows:
                return told
            events = [ReportAccepted.model_validate_json(row.event) for row in rows]
            missing = [event for event in events if not await bus.stored(event.nats_subject)]
            await bus.tell(missing)
            told, last = told + len(missing), rows[-1].report_id


async def untell_notices(bus: Bus, ledger: str) -> int:
    """Take back the mark of endings that NOTICES does not hold: notifications tells them again, and mails nothing again."""
    there, start = set[str](), 1
    while page := await page_of(bus, "NOTICES", start):
        there |= {stored.subject.rpartition(".")[2] for stored in page}
        start = page[-1].seq + 1
    c = notices.c
    async with _opened(ledger) as engine, writing(engine) as connection:
        await connection.run_sync(notices.metadata.create_all)
        rows = (await connection.execute(select(c.notice_id, c.turn).where(c.told == 1))).all()
        gone = [row.notice_id for row in rows if str(ending_of(UUID(row.notice_id), row.turn)) not in there]
        for begin in range(0, len(gone), PAGE):
            some = c.notice_id.in_(gone[begin : begin + PAGE])
            await connection.execute(update(notices).where(some).values(told=0))
    return len(gone)


async def forget_marks(routing: str) -> None:
    """What the streams hold from now on is what counts. Raises SQLAlchemyError."""
    async with _opened(routing) as engine:
        marks = Marks(engine, now)
        await marks.open()
        await marks.forget()


@asynccontextmanager
async def _opened(address: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(address)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _pages(engine: AsyncEngine, table: Table) -> AsyncIterator[list[Event]]:
    key = tuple(table.primary_key)
    page, after = select(table).order_by(*key).limit(PAGE), None
    while True:
        async with engine.connect() as connection:
            further = page if after is None else page.where(tuple_(*key) > after)
            rows: Sequence[Any] = (await connection.execute(further)).all()
        if not rows:
            return
        yield [_record(row) for row in rows]
        after = tuple(getattr(rows[-1], column.name) for column in key)


def _record(row: Any) -> Event:
    """The event that a row was made from; that a report belongs to a case is kept in columns."""
    if "event" in row._fields:
        return _ANY.validate_json(row.event)
    data = ReportLinkedData(report_id=row.report_id, case_id=row.case_id, ticket=row.ticket)
    return linked(data, row.at)


def _subject(event: Event) -> str:
    return str(event.nats_subject)  # type: ignore[attr-defined]


def _other(event: Event, body: bytes) -> bool:
    try:
        return _ANY.validate_json(body) != event
    except ValidationError:
        return True
