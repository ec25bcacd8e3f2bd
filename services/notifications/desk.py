"""What an operator does with the ledger: list, show, send again, suppress, resolve. It works while the service is down."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events import NoticeStep
from contracts.ids import report_id_of
from services.notifications.core.notices import State
from services.notifications.ledger import Ledger
from services.notifications.ledger_tables import NEXT_TURN, notices

_AGAIN = (State.FAILED, State.BOUNCED, State.SUPPRESSED, State.SKIPPED, State.WITHHELD)
TROUBLED = (State.FAILED, State.BOUNCED, State.WITHHELD, State.UNKNOWN)
"""The states a person should look at."""


class Outcome(StrEnum):
    """What an operator found out about a mail of unknown outcome."""

    ARRIVED = "arrived"
    LOST = "lost"


class Refused(Exception):
    """The operator's wish cannot be done; the text says why."""


async def listing(
    ledger: Ledger,
    *,
    states: Sequence[State] = (),
    case: str | None = None,
    agency: str | None = None,
    limit: int = 50,
) -> Sequence[RowMapping]:
    """The newest notices first; `case` is a case id, a report id or a ticket. Raises LedgerAway."""
    query = select(notices).order_by(notices.c.created_at.desc(), notices.c.place.desc()).limit(limit)
    if states:
        query = query.where(notices.c.state.in_(states))
    if agency:
        query = query.where(notices.c.agency == agency)
    if case:
        reports = (case, str(report_id_of(case.upper())))
        query = query.where(or_(notices.c.case_id == case, notices.c.report_id.in_(reports)))
    return await ledger.read(query)


async def one(ledger: Ledger, notice_id: str) -> RowMapping:
    """The row of a notice, by its id or the beginning of it. Raises Refused, LedgerAway."""
    found = await ledger.read(
        select(notices).where(notices.c.notice_id.between(notice_id, notice_id + "g")).limit(2)
    )
    if len(found) != 1:
        raise Refused("more than one begins so; write more of the id" if found else "there is no such mail")
    return found[0]


async def retry(ledger: Ledger, notice_id: str, now: datetime, *, although_withheld: bool = False) -> State:
    """Send a mail again that ended badly, under its old Message-ID. Raises Refused, LedgerAway."""
    row = await one(ledger, notice_id)
    state = State(row["state"])
    if state not in _AGAIN:
        raise Refused(f"it is {state}; only what ended without arriving can be sent again")
    if state is State.WITHHELD and not although_withheld:
        raise Refused("a reported person heads that office; say --although-withheld if it must be written to")
    return await _reopen(ledger, row, now)


async def suppress(ledger: Ledger, notice_id: str, now: datetime) -> State:
    """Never send a mail that still waits. Raises Refused, LedgerAway."""
    row = await one(ledger, notice_id)
    if row["state"] not in (State.PENDING, State.UNKNOWN, State.GATHERED):
        raise Refused(f"it is {row['state']}; only what waits can be suppressed")
    return await _end(ledger, row, State.SUPPRESSED, now)


async def resolve(ledger: Ledger, notice_id: str, outcome: Outcome, now: datetime) -> State:
    """Say what became of a mail of unknown outcome. Raises Refused, LedgerAway."""
    row = await one(ledger, notice_id)
    if row["state"] != State.UNKNOWN:
        raise Refused(f"it is {row['state']}; only an UNKNOWN mail waits to be resolved")
    if outcome is Outcome.ARRIVED:
        return await _end(ledger, row, State.SENT, now)
    return await _reopen(ledger, row, now)


async def _reopen(ledger: Ledger, row: RowMapping, now: datetime) -> State:
    """PENDING again; a part of a digest goes out as a letter of its own, and what was told is told anew."""
    again = {
        "state": State.PENDING,
        "next_attempt_at": now,
        "lease_until": None,
        "slot": None,
        "gathered_in": None,
        "ended_at": None,
        "last_answer_class": "operator",
        "turn": NEXT_TURN,
        "told": 0,
    }
    members = {"state": State.GATHERED, "ended_at": None, "turn": NEXT_TURN, "told": 0}
    await _change(ledger, row, again, members)
    return State.PENDING


async def _end(ledger: Ledger, row: RowMapping, state: State, now: datetime) -> State:
    ended = {"state": state, "ended_at": now, "last_answer_class": "operator"}
    await _change(ledger, row, {**ended, "next_attempt_at": None, "lease_until": None}, ended)
    return state


async def _change(ledger: Ledger, row: RowMapping, values: dict[str, Any], members: dict[str, Any]) -> None:
    """Change a row that is still as it was read, and with a digest its parts. Raises Refused, LedgerAway."""
    same = (notices.c.notice_id == row["notice_id"], notices.c.state == row["state"])

    async def work(connection: AsyncConnection) -> int:
        done = await connection.execute(update(notices).where(*same).values(values))
        if done.rowcount and row["step"] == NoticeStep.DIGEST:
            parts = notices.c.gathered_in == row["notice_id"]
            await connection.execute(update(notices).where(parts).values(members))
        return int(done.rowcount)

    if not await ledger.do(work):
        raise Refused("it changed in this moment; look again")


__all__ = ["TROUBLED", "Outcome", "Refused", "listing", "one", "resolve", "retry", "suppress"]
