"""What a database still knows is told again to a stream that lost it: cases, reports, and how mails ended (ADR 0099).

Each event has one subject that is stored once, so repeating any part of it changes nothing.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.agency_events import AgencyDue
from contracts.events import AnyEvent, CaseDecided, Event, ReportAccepted, ReportLinkedData, ending_of
from services.intake.vault_tables import reports
from services.notifications.core.notices import UNTOLD
from services.notifications.ledger_tables import notices
from services.routing import views_tables as views
from services.routing.core.fanout import linked
from services.routing.core.telling import due_told_of
from services.routing.marks import Marks
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import now
from services.runtime.database import open_engine, writing
from services.runtime.reading import last_of_each, page_of

PAGE = 500
CASES_AT_ONCE = 100
TRIES = 20
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class Told(NamedTuple):
    """How many records were told, and the subjects of records that stay lost: another stands there, or before them."""

    records: int
    lost: list[str]


async def tell_cases(bus: Bus, routing: str) -> Told:
    """Tell CASES what only the read model holds, case by case, each in one atomic batch: nobody meets half a life.

    Where another record stands by now, that case went on without what was lost: nothing later of it is told. What was
    said of its limits comes from TOLD.
    Comes before `tell_reports`, else those are decided anew. Raises BrokerAway and SQLAlchemyError.
    """
    told, lost = 0, list[str]()
    dues = await _dues_told(bus)
    async with _opened(routing) as engine:
        for of in (_lives, _answers):
            async for bare in of(engine):
                lives = [[*life, *_dues(life[0], dues)] for life in bare]
                subjects = [_subject(event) for life in lives for event in life]
                there = {one.subject: one.body async for one in last_of_each(bus, "CASES", subjects)}
                for life in lives:
                    one = await _tell_life(bus, life, there)
                    told, lost = told + one.records, lost + one.lost
    return Told(told, lost)


async def _tell_life(bus: Bus, life: Sequence[Event], there: Mapping[str, bytes]) -> Told:
    """Once more with what stands then, if something came in between. Raises BrokerAway if that does not end."""
    for _ in range(TRIES):
        missing, lost = to_tell(life, there)
        if await bus.tell_together(missing):
            return Told(len(missing), lost)
        found = last_of_each(bus, "CASES", [_subject(event) for event in life])
        there = {one.subject: one.body async for one in found}
    raise BrokerAway(ambiguous=True)


def to_tell(life: Sequence[Event], there: Mapping[str, bytes]) -> tuple[list[Event], list[str]]:
    """What is missing of a life before the first record that is another by now; and what stays lost.

    `there` is what CASES holds, by subject; bodies are JSON.
    """
    missing = list[Event]()
    for n, event in enumerate(life):
        stands = there.get(_subject(event))
        if stands is None:
            missing.append(event)
        elif _other(event, stands):
            rest = [_subject(one) for one in life[n + 1 :]]
            return missing, [_subject(event), *(subject for subject in rest if subject not in there)]
    return missing, []


async def _lives(engine: AsyncEngine) -> AsyncIterator[list[list[Event]]]:
    """The records of each case, in the order in which they came about; some cases at a time."""
    c, last = views.cases.c, ""
    page = select(c.case_id).order_by(c.case_id).limit(CASES_AT_ONCE)
    while True:
        async with engine.connect() as connection:
            ids = (await connection.execute(page.where(c.case_id > last))).scalars().all()
            lives: dict[str, list[tuple[int, int, Event]]] = {case_id: [] for case_id in ids}
            for rank, table in enumerate((views.cases, views.case_reports, views.steps, views.offers)):
                for row in await connection.execute(select(table).where(table.c.case_id.in_(ids))):
                    number = getattr(row, "step", getattr(row, "number", 0))
                    lives[row.case_id].append((number, rank, _record(row)))
        if not ids:
            return
        yield [[event for *_, event in sorted(life, key=itemgetter(0, 1))] for life in lives.values()]
        last = ids[-1]


async def _answers(engine: AsyncEngine) -> AsyncIterator[list[list[Event]]]:
    """What was answered about each pair of cases, in its order: few, for a person gave every one."""
    c, pairs = views.match_answers.c, defaultdict[str, list[Event]](list)
    async with engine.connect() as connection:
        for row in await connection.execute(select(c.match_id, c.event).order_by(c.match_id, c.number)):
            pairs[row.match_id].append(_ANY.validate_json(row.event))
    yield list(pairs.values())


async def _dues_told(bus: Bus) -> dict[UUID, list[AgencyDue]]:
    """What offices were told of limits, by case: the read model keeps no record of it, and one made anew is of today."""
    found, start = defaultdict[UUID, list[AgencyDue]](list), 1
    while page := await page_of(bus, "TOLD", start, subjects="told.*.*.*.due.>"):
        for stored in page:
            with suppress(ValidationError):  # what is no event is named by the checker
                told = AgencyDue.model_validate_json(stored.body)
                found[told.data.case_id].append(told)
        start = page[-1].seq + 1
    return found


def _dues(first: Event, dues: Mapping[UUID, list[AgencyDue]]) -> list[Event]:
    """The records that offices were told of, for a life that `first` begins."""
    told = dues.get(first.data.case_id, ()) if isinstance(first, CaseDecided) else ()
    return [due_told_of(one) for one in told]


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
    """Take back the mark of endings that NOTICES does not hold; how many. Raises BrokerAway and SQLAlchemyError.

    Notifications tells them again within seconds, and mails nothing again.
    """
    there, start = set[str](), 1
    while page := await page_of(bus, "NOTICES", start):
        there |= {stored.subject.rpartition(".")[2] for stored in page}
        start = page[-1].seq + 1
    c = notices.c
    async with _opened(ledger) as engine, writing(engine, patient=True) as connection:
        await connection.run_sync(notices.metadata.create_all)
        rows = (
            await connection.execute(select(c.notice_id, c.turn).where(c.told == 1, c.step.not_in(UNTOLD)))
        ).all()
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
    engine = open_engine(address, patient=True)
    try:
        yield engine
    finally:
        await engine.dispose()


def _record(row: Any) -> Event:
    """The event that a row was made from; that a report belongs to a case is kept in columns."""
    if "event" in row._fields:
        return _ANY.validate_json(row.event)
    data = ReportLinkedData(report_id=row.report_id, case_id=row.case_id, ticket=row.ticket)
    return linked(data, row.at)


def _subject(event: Event) -> str:
    return str(event.nats_subject)  # type: ignore[attr-defined]


def _other(event: Event, body: bytes) -> bool:
    """Whether it says something else; one that was made anew says the same at another time."""
    try:
        return bool(_ANY.validate_json(body).data != event.data)  # type: ignore[attr-defined]
    except ValidationError:
        return True
