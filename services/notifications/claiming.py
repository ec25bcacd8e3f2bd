"""Takes from the ledger what may be sent now: what is due, and of a case no letter before an earlier one is through."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, Update, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.core.notices import State
from services.notifications.ledger_rows import Claim, claim_of
from services.notifications.ledger_tables import notices
from services.runtime.database import unindexed
from services.runtime.due import astray

_DUE = (State.PENDING, State.UNKNOWN)
_WAITING = (State.PENDING, State.SENDING, State.UNKNOWN)


async def taken(connection: AsyncConnection, *, now: datetime, limit: int, until: datetime) -> list[Claim]:
    """At most `limit` notices, now SENDING and leased until `until`; the caller commits before anything is sent."""
    earlier = notices.alias()
    blocked = exists().where(
        earlier.c.root == notices.c.root,
        earlier.c.place < notices.c.place,
        earlier.c.slot.is_(None),
        earlier.c.state.in_(_WAITING),
    )
    due = select(notices.c.notice_id).where(
        notices.c.state.in_(_DUE), notices.c.next_attempt_at <= now, notices.c.slot.is_(None), ~blocked
    )
    mine = (
        update(notices)
        .where(notices.c.notice_id.in_(due.order_by(notices.c.next_attempt_at).limit(limit)))
        .where(unindexed(notices.c.state).in_(_DUE))
        .values(state=State.SENDING, attempts=notices.c.attempts + 1, lease_until=until)
        .returning(notices)
    )
    rows = (await connection.execute(mine)).mappings().all()
    return [claim_of(row, await _earlier(connection, row)) for row in rows]


def called_back(now: datetime) -> Update:
    """What waits for an instant that a wrong clock wrote is due now (ADR 0103)."""
    waits = notices.c.state.in_(_DUE), astray(notices.c.next_attempt_at, now)
    return update(notices).where(*waits).values(next_attempt_at=now)


def ahead(instant: datetime) -> Select[Any]:
    """The claims that are leased beyond an instant."""
    columns = notices.c.notice_id, notices.c.lease_until
    return select(*columns).where(notices.c.state == State.SENDING, notices.c.lease_until > instant)


def is_claim(notice_id: str, until: datetime) -> ColumnElement[bool]:
    """Whether a notice is still claimed as it was, and nobody has renewed that."""
    return and_(notices.c.notice_id == notice_id, notices.c.lease_until == until)


def doubted(until: datetime, *lost: ColumnElement[bool]) -> Update:
    """Claims of which one of `lost` holds are UNKNOWN, and are looked at again at `until`."""
    how = {"state": State.UNKNOWN, "doubts": notices.c.doubts + 1, "last_answer_class": "abandoned"}
    then = {"next_attempt_at": until, "lease_until": None}
    return update(notices).where(notices.c.state == State.SENDING, or_(*lost)).values(how | then)


async def _earlier(connection: AsyncConnection, row: RowMapping) -> tuple[str, ...]:
    """The Message-IDs of the letters of a thread that were sent before, oldest first, at most ten."""
    if row["place"] == 0:
        return ()
    query = (
        select(notices.c.message_id)
        .where(notices.c.root == row["root"], notices.c.state == State.SENT, notices.c.slot.is_(None))
        .where(notices.c.place < row["place"], notices.c.gathered_in.is_(None))
        .order_by(notices.c.place.desc(), notices.c.created_at.desc())
        .limit(10)
    )
    return tuple(reversed((await connection.execute(query)).scalars().all()))
