"""The ledger of notices: what must be mailed, how far it got, and what was told about it. No address, no words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, literal, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.notifications.commits import Commits, LedgerAway
from services.notifications.core.notices import Facts, Notice, State, merged, message_id, thread_root
from services.notifications.core.retries import Step, Tried
from services.notifications.ledger_tables import metadata, notices
from services.runtime.database import insert_new

LEASE = timedelta(minutes=5)
"""How long a claimed notice may take: its turn among the others claimed with it, and every time-out of one try."""
SETTLE = timedelta(seconds=1)
"""The persons of one case are offered together: the first mail waits so long for the duties of all of them."""
_DUE = (State.PENDING, State.UNKNOWN)
_TOLD = (State.SENT, State.FAILED)


@dataclass(frozen=True)
class Claim:
    """A notice that is ours to send now."""

    notice: Notice
    message_id: str
    root: str
    tried: Tried
    traceparent: str | None


@dataclass(frozen=True)
class Ending:
    """A notice that ended and that nobody was told about yet."""

    notice: Notice
    state: State
    attempts: int
    at: datetime


class Ledger:
    """`key` and `domain` make the Message-IDs, which are fixed when a notice is recorded."""

    def __init__(self, engine: AsyncEngine, key: bytes, domain: str) -> None:
        self._engine = engine
        self._commits = Commits(engine)
        self._key = key
        self._domain = domain
        self._insert = insert_new(engine, notices)

    @property
    def exclusive(self) -> bool:
        """Whether only one process can be at work on it: an SQLite file belongs to one service."""
        return self._engine.dialect.name == "sqlite"

    async def start(self) -> None:
        """Create what is missing. Raises LedgerAway."""
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(metadata.create_all)
        except (SQLAlchemyError, OSError) as problem:
            raise LedgerAway(type(problem).__name__) from None

    async def close(self) -> None:
        await self._commits.close()
        await self._engine.dispose()

    async def record(self, found: Sequence[Notice], now: datetime, traceparent: str | None = None) -> None:
        """Remember notices durably, each once; a known one that nobody tried yet learns new duties."""
        rows = [(notice, self._row(notice, now, traceparent)) for notice in found]

        async def work(connection: AsyncConnection) -> None:
            for notice, row in rows:
                if (await connection.execute(self._insert.values(row))).rowcount == 0:
                    await _learn(connection, notice)

        await self._commits.do(work)

    async def claim(self, now: datetime, limit: int) -> list[Claim]:
        """At most `limit` due notices, now SENDING and ours for LEASE; durable before anything is sent."""
        due = select(notices.c.notice_id).where(notices.c.state.in_(_DUE), notices.c.next_attempt_at <= now)
        taken = (
            update(notices)
            .where(notices.c.notice_id.in_(due.order_by(notices.c.next_attempt_at).limit(limit)))
            .where(notices.c.state.in_(_DUE))
            .values(state=State.SENDING, attempts=notices.c.attempts + 1, lease_until=now + LEASE)
            .returning(notices)
        )

        async def work(connection: AsyncConnection) -> list[Claim]:
            return [_claim(row) for row in (await connection.execute(taken)).mappings()]

        return await self._commits.do(work)

    async def finish(self, claim: Claim, step: Step, now: datetime) -> None:
        """Record what followed from a try, unless another try has begun since."""
        tried = claim.tried
        statement = (
            update(notices)
            .where(notices.c.notice_id == str(tried.notice_id), notices.c.attempts == tried.attempts)
            .values(
                state=step.state,
                doubts=step.doubts,
                next_attempt_at=step.next_attempt_at,
                lease_until=None,
                last_answer_class=step.code,
                ended_at=now if step.next_attempt_at is None else None,
            )
        )
        await self._execute(statement)

    async def give_back(self, claim: Claim, now: datetime) -> None:
        """Undo a claim that nothing was done about."""
        tried = claim.tried
        state = State.UNKNOWN if tried.doubts else State.PENDING
        await self._execute(
            update(notices)
            .where(notices.c.notice_id == str(tried.notice_id), notices.c.attempts == tried.attempts)
            .values(state=state, attempts=tried.attempts - 1, next_attempt_at=now, lease_until=None)
        )

    async def doubt_the_abandoned(self, now: datetime, hold: timedelta, *, all_claims: bool = False) -> int:
        """What a dead process was sending is UNKNOWN: its lease ran out, or with `all_claims` whatever it is."""
        statement = (
            update(notices)
            .where(notices.c.state == State.SENDING, or_(notices.c.lease_until <= now, literal(all_claims)))
            .values(
                state=State.UNKNOWN,
                doubts=notices.c.doubts + 1,
                next_attempt_at=now + hold,
                lease_until=None,
                last_answer_class="abandoned",
            )
        )
        return int((await self._execute(statement)).rowcount)

    async def untold(self, limit: int) -> list[Ending]:
        """Notices that ended, SENT or FAILED, and that nobody was told about yet."""
        query = select(notices).where(notices.c.told == 0, notices.c.state.in_(_TOLD)).limit(limit)
        return [
            Ending(_notice(row), State(row["state"]), row["attempts"], row["ended_at"])
            for row in await self._read(query)
        ]

    async def mark_told(self, endings: Sequence[Ending]) -> None:
        ids = [str(ending.notice.notice_id) for ending in endings]
        await self._execute(update(notices).where(notices.c.notice_id.in_(ids)).values(told=1))

    async def counts(self) -> dict[str, int]:
        """How many notices are in each state. Raises LedgerAway."""
        rows = await self._read(
            select(notices.c.state, func.count().label("number")).group_by(notices.c.state)
        )
        return {row["state"]: row["number"] for row in rows}

    async def _read(self, query: Any) -> Sequence[RowMapping]:
        try:
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).mappings().all()
        except (SQLAlchemyError, OSError) as problem:
            raise LedgerAway(type(problem).__name__) from None

    async def _execute(self, statement: Any) -> Any:
        async def work(connection: AsyncConnection) -> Any:
            return await connection.execute(statement)

        return await self._commits.do(work)

    def _row(self, notice: Notice, now: datetime, traceparent: str | None) -> dict[str, Any]:
        return {
            **notice.model_dump(mode="json"),
            "message_id": message_id(notice.notice_id, self._key, self._domain),
            "root": thread_root(notice, self._key, self._domain),
            "state": State.PENDING,
            "attempts": 0,
            "doubts": 0,
            "next_attempt_at": now + SETTLE if notice.facts.duties else now,
            "created_at": now,
            "told": 0,
            "traceparent": traceparent,
        }


async def _learn(connection: AsyncConnection, notice: Notice) -> None:
    untried = (notices.c.notice_id == str(notice.notice_id), notices.c.attempts == 0)
    known = (await connection.execute(select(notices.c.facts).where(*untried))).scalar()
    if known is None:
        return
    facts = merged(Facts.model_validate(known), notice.facts).model_dump(mode="json")
    if facts != known:
        await connection.execute(update(notices).where(*untried).values(facts=facts))


def _claim(row: RowMapping) -> Claim:
    return Claim(
        notice=_notice(row),
        message_id=row["message_id"],
        root=row["root"],
        tried=Tried(UUID(row["notice_id"]), row["attempts"], row["doubts"], row["created_at"]),
        traceparent=row["traceparent"],
    )


def _notice(row: RowMapping) -> Notice:
    return Notice.model_validate({name: row[name] for name in Notice.model_fields})
