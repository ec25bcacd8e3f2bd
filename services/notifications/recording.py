"""Writes notices into the ledger, each once, and plans when they are due."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.events import Audience, NoticeSent, NoticeStep
from services.notifications.core.manners import BURST, When
from services.notifications.core.notices import (
    LIMITS,
    OPEN,
    UNTOLD,
    Facts,
    Notice,
    State,
    merged,
    message_id,
    thread_root,
)
from services.notifications.ledger_tables import notices
from services.runtime.database import insert_new

ACKNOWLEDGED = timedelta(seconds=45)
"""A letter that must follow another waits so long for it: a message that a killed process held comes again after 30 s."""
SETTLE = timedelta(seconds=1)
"""What an office is told of one step comes from several events: the first mail waits so long for all of them."""
_SINGLE = (
    select(func.count())
    .select_from(notices)
    .where(
        notices.c.reader == bindparam("by"),
        notices.c.created_at.between(bindparam("since"), bindparam("now")),
        notices.c.slot.is_(None),
        notices.c.gathered_in.is_(None),
        notices.c.notice_id != bindparam("but"),
    )
)
"""Made once: to put a statement together costs more than to run it."""

_MEMBER = notices.alias("member")
_OF_IT = _MEMBER.c.gathered_in == notices.c.notice_id
_EMPTIED = (
    update(notices)
    .where(
        notices.c.step == NoticeStep.DIGEST,
        notices.c.state.in_(OPEN),
        exists().where(_OF_IT),
        ~exists().where(_OF_IT, _MEMBER.c.state == State.GATHERED),
    )
    .values(
        state=State.SENT,
        next_attempt_at=None,
        lease_until=None,
        ended_at=select(func.max(_MEMBER.c.ended_at)).where(_OF_IT).scalar_subquery(),
    )
)


class Recorder:
    """Each method works in the caller's transaction."""

    def __init__(
        self, engine: AsyncEngine, key: bytes, domain: str, plan: Callable[[Notice, datetime, int], When]
    ) -> None:
        self._insert = insert_new(engine, notices)
        self._key = key
        self._domain = domain
        self._plan = plan

    async def keep(
        self,
        connection: AsyncConnection,
        notice: Notice,
        now: datetime,
        traceparent: str | None,
        withheld: bool,
    ) -> bool:
        """Record a notice, or let the row that is there learn; whether it is new."""
        recent = await self._recent(connection, notice, now)
        row = self.row(notice, now, self._plan(notice, now, recent), traceparent)
        if _follows(notice) and not await _opened(connection, row["root"], notice.place):
            row["next_attempt_at"] = max(row["next_attempt_at"], now + ACKNOWLEDGED)
        if withheld:
            row |= {"state": State.WITHHELD, "next_attempt_at": None, "slot": None, "ended_at": now}
        if (await connection.execute(self._insert, row)).rowcount:
            if notice.audience is Audience.REPORTER and notice.place == 0:
                await connection.execute(_follower(row["root"]))
            return True
        await _learn(connection, notice, now, withheld)
        return False

    async def keep_ended(self, connection: AsyncConnection, notice: Notice, end: NoticeSent) -> None:
        """Record a notice as the stream says that it ended, unless a row says so or knows of a later try."""
        how = {
            "state": State(end.data.outcome),
            "attempts": end.data.attempts,
            "turn": end.data.turn,
            "next_attempt_at": None,
            "slot": None,
            "ended_at": end.time,
            "told": 1,
        }
        row = self.row(notice, end.time, When(end.time, None), None)
        if not (await connection.execute(self._insert, row | how)).rowcount:
            await connection.execute(_older(notice, end.data.turn).values(how | {"lease_until": None}))

    async def end_emptied(self, connection: AsyncConnection) -> None:
        """End digests all of whose letters have ended, which only an older copy of a ledger holds: they left with them."""
        await connection.execute(_EMPTIED)

    def row(self, notice: Notice, now: datetime, plan: When, traceparent: str | None) -> dict[str, Any]:
        """The row of a new notice that is due as planned."""
        settle = SETTLE if notice.audience is Audience.AGENCY and plan.at == now else timedelta()
        return {
            **notice.model_dump(mode="json"),
            "reader": notice.reader,
            "message_id": message_id(notice.notice_id, self._key, self._domain),
            "root": thread_root(notice, self._key, self._domain),
            "state": State.PENDING,
            "attempts": 0,
            "doubts": 0,
            "next_attempt_at": plan.at + settle,
            "slot": plan.slot,
            "created_at": now,
            "due_at": plan.at,
            "told": int(notice.step in UNTOLD),
            "turn": 0,
            "traceparent": traceparent,
        }

    async def _recent(self, connection: AsyncConnection, notice: Notice, now: datetime) -> int:
        """How many single letters the reader was given lately."""
        if notice.audience is Audience.REPORTER:
            return 0
        asked = {"by": notice.reader, "since": now - BURST, "now": now, "but": str(notice.notice_id)}
        return int((await connection.execute(_SINGLE, asked)).scalar() or 0)


def _older(notice: Notice, turn: int) -> Update:
    """The row of an older copy of the ledger, which waits for what has long ended, or knows an earlier ending only."""
    c = notices.c
    behind = or_(c.turn < turn, and_(c.turn == turn, c.state.in_(OPEN)))
    return update(notices).where(c.notice_id == str(notice.notice_id), behind)


def _follows(notice: Notice) -> bool:
    """Whether its reader must have got an earlier letter about the case: its opening is on the way."""
    return notice.place == LIMITS or (notice.audience is Audience.REPORTER and notice.place > 0)


def _follower(root: str) -> Update:
    """The decision that waited for its receipt is due as planned. A release before this one plans nothing to go back to."""
    c = notices.c
    waited = (c.root == root, c.place == 1, c.state == State.PENDING, c.attempts == 0, c.slot.is_(None))
    return update(notices).where(*waited, c.due_at.is_not(None)).values(next_attempt_at=c.due_at)


async def _opened(connection: AsyncConnection, root: str, place: int) -> bool:
    query = select(notices.c.notice_id).where(notices.c.root == root, notices.c.place < place).limit(1)
    return (await connection.execute(query)).first() is not None


async def _learn(connection: AsyncConnection, notice: Notice, now: datetime, withheld: bool) -> None:
    untried = (
        notices.c.notice_id == str(notice.notice_id),
        notices.c.attempts == 0,
        notices.c.state == State.PENDING,
    )
    known = (await connection.execute(select(notices.c.facts).where(*untried))).scalar()
    if known is None:
        return
    if withheld:
        gone = {"state": State.WITHHELD, "next_attempt_at": None, "slot": None, "ended_at": now}
        await connection.execute(update(notices).where(*untried).values(gone))
        return
    facts = merged(Facts.model_validate(known), notice.facts).model_dump(mode="json")
    if facts != known:
        await connection.execute(update(notices).where(*untried).values(facts=facts))
