"""What each event adds to the read model, in one transaction with how far its stream is read."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events import (
    CaseDecided,
    CaseDue,
    CaseOffered,
    CaseStepped,
    CaseWaiting,
    Event,
    MatchAnswered,
    NoticeSent,
    ReportLinked,
    ReportResembles,
)
from services.routing import views_tables as tables
from services.routing.match_queries import row_of_answer, rows_of_resembles
from services.routing.matters import keep_dues, keep_versions, version_of
from services.runtime.database import insert_new

Row = dict[str, Any]


class Entry(NamedTuple):
    """An event with its place in its stream; no event where the message was none of ours."""

    stream: str
    seq: int
    event: Event | None


async def keep_in(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Write events and how far their streams are read. What is there depends on the set of events, not on their order."""
    rows: dict[Any, list[Row]] = defaultdict(list)
    for entry in entries:
        for table, row in _rows(entry.event):
            rows[table].append(row)
    for table, values in rows.items():
        await connection.execute(insert_new(connection, table), values)
    events = [entry.event for entry in entries]
    await keep_versions(
        connection, [version_of(e) for e in events if isinstance(e, CaseDecided | CaseStepped)]
    )
    await keep_dues(connection, [e for e in events if isinstance(e, CaseDue | CaseWaiting)])
    for stream, seq in {entry.stream: entry.seq for entry in sorted(entries, key=_seq)}.items():
        await _advance(connection, stream, seq)


async def _advance(connection: AsyncConnection, stream: str, seq: int) -> None:
    c = tables.positions.c
    await connection.execute(insert_new(connection, tables.positions), {"stream": stream, "seq": seq})
    await connection.execute(update(tables.positions).where(c.stream == stream, c.seq < seq).values(seq=seq))


def _seq(entry: Entry) -> int:
    return entry.seq


def _rows(event: Event | None) -> list[tuple[Any, Row]]:
    match event:
        case CaseDecided():
            return [(tables.cases, _case(event))]
        case CaseOffered():
            return [(tables.offers, _offer(event))]
        case CaseStepped():
            return [(tables.steps, _step(event))]
        case ReportLinked():
            row = event.data.model_dump(mode="json")
            return [(tables.case_reports, {**row, "at": event.time})]
        case ReportResembles():
            return [(tables.matches, row) for row in rows_of_resembles(event)]
        case MatchAnswered():
            return [(tables.match_answers, row_of_answer(event))]
        case NoticeSent():
            row = event.data.model_dump(mode="json", exclude={"turn"})
            return [(tables.notices, {**row, "notice_id": str(event.ending), "at": event.time})]
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


def _step(event: CaseStepped) -> Row:
    data = event.data
    return {
        "case_id": str(data.case_id),
        "number": data.number,
        "at": event.time,
        "sealed": data.sealed is not None,
        "event": event.model_dump_json(by_alias=True),
    }


def _offer(event: CaseOffered) -> Row:
    data = event.data
    return {
        "case_id": str(data.case_id),
        "agency": data.agency,
        "person": data.person,
        "step": data.step,
        "at": event.time,
        "event": event.model_dump_json(by_alias=True),
    }
