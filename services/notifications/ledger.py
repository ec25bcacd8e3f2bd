"""The ledger of notices: what must be mailed, how far it got, and what was told about it. No address, no words."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import RowMapping, Update, bindparam, func, literal, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.events import Audience, NoticeSent, NoticeStep
from services.notifications.claiming import ahead, doubted, is_claim, taken
from services.notifications.commits import Commits, LedgerAway
from services.notifications.core.manners import When
from services.notifications.core.notices import OPEN, TOLD, UNTOLD, Notice, State
from services.notifications.core.retries import Step, Tried
from services.notifications.core.telling import Reporter
from services.notifications.ledger_rows import Claim, Ending, ending_of, notice_of
from services.notifications.ledger_tables import notices, prepare, refusals
from services.notifications.recording import Recorder
from services.runtime.database import unindexed
from services.runtime.due import Unchanged

LEASE = timedelta(minutes=1)
"""How long a claim is believed; who is at work on it renews it, so that what a dead process held is soon found, and
clocks of workers may still differ by most of it."""
_STANDS = (notices.c.state == bindparam("as"), notices.c.turn == bindparam("nth"))
_TELL = update(notices).where(notices.c.notice_id == bindparam("its"), *_STANDS).values(told=1)
T = TypeVar("T")


@dataclass(frozen=True)
class Naming:
    """Makes the Message-IDs, which are fixed when a notice is recorded."""

    key: bytes
    domain: str


class Ledger:
    """`plan` says when a notice is due: (notice, now, single letters to its reader lately); `ticks` are seconds of a clock
    that never jumps."""

    def __init__(
        self,
        engine: AsyncEngine,
        naming: Naming,
        plan: Callable[[Notice, datetime, int], When],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self._commits = Commits(engine)
        self.recorder = Recorder(engine, naming.key, naming.domain, plan)
        self._ticks, self._ahead = ticks, Unchanged[tuple[str, datetime]](LEASE.total_seconds())

    @property
    def exclusive(self) -> bool:
        """Whether only one process can be at work on it: an SQLite file belongs to one service."""
        return self.engine.dialect.name == "sqlite"

    async def start(self) -> None:
        """Create what is missing. Raises LedgerAway."""
        try:
            async with self.engine.begin() as connection:
                await connection.run_sync(prepare)
        except (SQLAlchemyError, OSError) as problem:
            raise LedgerAway(type(problem).__name__) from None

    async def close(self) -> None:
        await self._commits.close()
        await self.engine.dispose()

    async def record(
        self,
        found: Sequence[Notice],
        now: datetime,
        traceparent: str | None = None,
        withheld: frozenset[UUID] = frozenset(),
        ended: Mapping[UUID, NoticeSent] = MappingProxyType({}),
    ) -> None:
        """Remember notices durably, each once; a known one that nobody tried yet learns new duties.

        Those `withheld` are remembered as such and never sent; so are those that `ended` before this ledger was.
        """

        async def work(connection: AsyncConnection) -> None:
            for notice in found:
                if end := ended.get(notice.notice_id):
                    await self.recorder.keep_ended(connection, notice, end)
                else:
                    await self.recorder.keep(
                        connection, notice, now, traceparent, notice.notice_id in withheld
                    )

        await self.do(work)

    async def waiting(self, before: datetime) -> list[Notice]:
        """What is recorded since before an instant and has not ended. Raises LedgerAway."""
        query = select(notices).where(notices.c.state.in_(OPEN), notices.c.created_at < before)
        return [notice_of(row) for row in await self.read(query)]

    async def take_over(self, found: Sequence[Notice], ended: Mapping[UUID, NoticeSent]) -> None:
        """Note of notices that wait here how they ended, by a ledger of which this is an older copy. Raises LedgerAway."""

        async def work(connection: AsyncConnection) -> None:
            for notice in found:
                if end := ended.get(notice.notice_id):
                    await self.recorder.keep_ended(connection, notice, end)
            await self.recorder.end_emptied(connection)

        await self.do(work)

    async def claim(self, now: datetime, limit: int) -> list[Claim]:
        """At most `limit` due notices, now SENDING and ours for LEASE; durable before anything is sent.

        A reader gets the letters of a case in their order: none is claimed while an earlier one may still be sent.
        """
        return await self.do(partial(taken, now=now, limit=limit, until=now + LEASE))

    async def finish(self, claim: Claim, step: Step, now: datetime) -> None:
        """Record what followed from a try, unless another try has begun or the mail has bounced since.

        What was gathered in a digest ends with it.
        """
        tried = claim.tried
        ended = now if step.next_attempt_at is None else None
        this = _while_ours(tried).values(
            state=step.state,
            doubts=step.doubts,
            deferrals=step.deferrals,
            next_attempt_at=step.next_attempt_at,
            lease_until=None,
            last_answer_class=step.code,
            ended_at=ended,
        )
        members = (
            update(notices)
            .where(
                notices.c.gathered_in == str(tried.notice_id), unindexed(notices.c.state) == State.GATHERED
            )
            .values(state=step.state, attempts=tried.attempts, last_answer_class=step.code, ended_at=ended)
        )

        async def work(connection: AsyncConnection) -> None:
            done = await connection.execute(this)
            if done.rowcount and ended and claim.notice.step is NoticeStep.DIGEST:
                await connection.execute(members)

        await self.do(work)

    async def renew(self, claims: Sequence[Claim], now: datetime) -> None:
        """Those of the claims that are still ours are so for another LEASE. Raises LedgerAway."""

        async def work(connection: AsyncConnection) -> None:
            for claim in claims:
                await connection.execute(_while_ours(claim.tried).values(lease_until=now + LEASE))

        await self.do(work)

    async def give_back(self, claim: Claim, at: datetime) -> None:
        """Undo a claim that nothing was done about; it is due again at `at`."""
        tried = claim.tried
        state = State.UNKNOWN if tried.doubts else State.PENDING
        again = {"state": state, "attempts": tried.attempts - 1, "next_attempt_at": at, "lease_until": None}
        await self.execute(_while_ours(tried).values(again))

    async def doubt_the_abandoned(self, now: datetime, hold: timedelta, *, all_claims: bool = False) -> int:
        """What a dead process was sending is UNKNOWN: its lease ran out, or with `all_claims` whatever it is.

        A lease that lies further ahead than any that is made now ends when nobody has renewed it for as long (ADR 0103).
        """
        rows = await self.read(ahead(now + 2 * LEASE))
        dead = self._ahead.dead([(row["notice_id"], row["lease_until"]) for row in rows], self._ticks())
        lost = (notices.c.lease_until <= now, literal(all_claims), *(is_claim(*claim) for claim in dead))
        return int((await self.execute(doubted(now + hold, *lost))).rowcount)

    async def untold(self, limit: int) -> list[Ending]:
        """Notices that ended in a state of TOLD, and that nobody was told about yet, but for letters of UNTOLD."""
        query = select(notices).where(notices.c.told == 0, notices.c.state.in_(TOLD))
        rows = await self.read(query.where(notices.c.step.not_in(UNTOLD)).limit(limit))
        return [ending_of(row) for row in rows]

    async def mark_told(self, endings: Sequence[Ending]) -> None:
        """Note that these endings were told; one that changed in the meantime is told again, as what it is now."""

        async def work(connection: AsyncConnection) -> None:
            these = [{"its": str(e.notice.notice_id), "as": e.state, "nth": e.turn} for e in endings]
            await connection.execute(_TELL, these)

        await self.do(work)

    async def counts(self) -> dict[str, int]:
        """How many notices are in each state. Raises LedgerAway."""
        rows = await self.read(
            select(notices.c.state, func.count().label("number")).group_by(notices.c.state)
        )
        return {row["state"]: row["number"] for row in rows}

    async def reporters(self, case_id: UUID) -> list[Reporter]:
        """The reports of a case whose reporters were told who holds it. Raises LedgerAway."""
        query = select(notices.c.report_id, notices.c.facts).where(
            notices.c.case_id == str(case_id),
            notices.c.step == NoticeStep.ROUTED,
            notices.c.audience == Audience.REPORTER,
        )
        return [Reporter(UUID(row["report_id"]), row["facts"]["ticket"]) for row in await self.read(query)]

    async def refuses(self, reader: str) -> bool:
        """Whether a reader wants no optional mail. Raises LedgerAway."""
        return bool(await self.read(select(refusals.c.reader).where(refusals.c.reader == reader)))

    async def read(self, query: Any) -> Sequence[RowMapping]:
        """The rows of a query. Raises LedgerAway."""
        try:
            async with self.engine.connect() as connection:
                return (await connection.execute(query)).mappings().all()
        except (SQLAlchemyError, OSError) as problem:
            raise LedgerAway(type(problem).__name__) from None

    async def do(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What a piece of work gives, once it is durable. Raises LedgerAway."""
        return await self._commits.do(work)

    async def execute(self, statement: Any) -> Any:
        """One statement, durable. Raises LedgerAway."""

        async def work(connection: AsyncConnection) -> Any:
            return await connection.execute(statement)

        return await self.do(work)


def _while_ours(tried: Tried) -> Update:
    """A change to a claimed notice, unless another try has begun or the claim has ended."""
    return update(notices).where(
        notices.c.notice_id == str(tried.notice_id),
        notices.c.attempts == tried.attempts,
        notices.c.state == State.SENDING,
    )
