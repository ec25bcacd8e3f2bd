"""What a bounce makes of the mail it names: final, tried once more, or resolved. Nobody is ever unsubscribed silently."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events import Audience, NoticeStep
from services.notifications.core.bounces import Fate, Returned
from services.notifications.core.notices import State
from services.notifications.core.retries import PATIENCE, ROAD_CLOSED
from services.notifications.ledger import Ledger
from services.notifications.ledger_rows import notice_of
from services.notifications.ledger_tables import NEXT_TURN, notices
from services.notifications.refusals import refuse
from services.runtime.logs import log

_AGAIN = ROAD_CLOSED * 30
_HANDED_OVER = (State.SENT, State.SENDING, State.UNKNOWN, State.BOUNCED)


async def came_back(ledger: Ledger, notice_id: UUID, returned: Returned, now: datetime) -> State | None:
    """Note what came back about a mail; its new state, or None if nothing changed. Raises LedgerAway."""

    async def work(connection: AsyncConnection) -> tuple[RowMapping, State] | None:
        mine = notices.c.notice_id == str(notice_id)
        row = (await connection.execute(select(notices).where(mine))).mappings().first()
        if row is None or row["state"] not in _HANDED_OVER:
            return None
        state = _state_after(returned, State(row["state"]), row["created_at"], now)
        if state is None:
            return None
        await connection.execute(update(notices).where(mine).values(_values(state, returned, now)))
        if state is State.BOUNCED:
            await _follow(ledger, connection, row, now)
        return row, state

    changed = await ledger.do(work)
    if changed is None:
        log("mail.returned", notice_id=notice_id, fate=returned.fate, answer=returned.status or None)
        return None
    row, state = changed
    official = row["audience"] == Audience.AGENCY
    log(
        "mail.bounced" if state is State.BOUNCED else "mail.returned",
        level="ERROR" if state is State.BOUNCED and official else "WARNING",
        notice_id=notice_id,
        case_id=row["case_id"],
        agency=row["agency"],
        office=row["office"],
        state=state,
        fate=returned.fate,
        answer=returned.status or None,
    )
    return State(state)


def _state_after(returned: Returned, state: State, created_at: datetime, now: datetime) -> State | None:
    match returned.fate:
        case Fate.FAILED if state is not State.BOUNCED:
            return State.BOUNCED
        case Fate.EXPIRED if state is not State.BOUNCED:
            return State.PENDING if now - created_at < PATIENCE else State.BOUNCED
        case Fate.DELIVERED if state is State.UNKNOWN:
            return State.SENT
    return None


def _values(state: State, returned: Returned, now: datetime) -> dict[str, Any]:
    final = state is not State.PENDING
    return {
        "state": state,
        "last_answer_class": f"dsn {returned.status}".strip(),
        "next_attempt_at": None if final else now + _AGAIN,
        "lease_until": None,
        "ended_at": now if final else None,
        "turn": NEXT_TURN,
        "told": 0,
    }


async def _follow(ledger: Ledger, connection: AsyncConnection, row: RowMapping, now: datetime) -> None:
    """What was gathered in a digest came back with it; a reporter's dead address gets no more optional mail."""
    if row["step"] == NoticeStep.DIGEST:
        gathered = notices.c.gathered_in == row["notice_id"]
        again = {"turn": NEXT_TURN, "told": 0, "ended_at": now}
        await connection.execute(update(notices).where(gathered).values(state=State.BOUNCED, **again))
    if row["audience"] == Audience.REPORTER:
        await refuse(ledger, connection, notice_of(row).reader, "BOUNCED", now)
