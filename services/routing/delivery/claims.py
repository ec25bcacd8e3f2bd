"""Claims what is due, within the room of each endpoint, and records what came of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.webhooks import AlarmKind, EndpointChangedData, EndpointState
from services.routing.core.deliveries import Outcome, State, after
from services.routing.core.health import seen
from services.routing.delivery.endpoints import endpoint_of
from services.routing.delivery.health_rows import health_of, keep_health, raise_alarm
from services.routing.delivery.store import Row, Store, rows_of
from services.routing.delivery.tables import attempts, deliveries, endpoints
from services.runtime.clock import Clock
from services.runtime.database import unindexed
from services.runtime.due import Unchanged, astray
from services.runtime.grouping import Grouped

LEASE = timedelta(seconds=60)
"""How long a claimed delivery may take; three times as long as one exchange."""
Room = Callable[[EndpointChangedData], int]
"""How many more deliveries of an endpoint may be on their way."""


@dataclass(frozen=True)
class Claim:
    """A delivery that is ours to try now; `probe` if it tests an endpoint whose breaker is open."""

    delivery_id: str
    case_id: str
    endpoint: EndpointChangedData
    body: bytes
    tries: int
    spent: int
    probe: bool
    told_at: datetime
    traceparent: str | None


@dataclass(frozen=True)
class Attempt:
    """What came of a claim, and when."""

    claim: Claim
    outcome: Outcome
    at: datetime
    milliseconds: int


class Claims:
    """A claim is recorded once: an attempt whose claim was taken from it meanwhile changes no delivery."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        lease: timedelta = LEASE,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lease` is how long a delivery can take at most, `ticks` a clock in seconds that never jumps."""
        self._store, self._clock, self._ticks = store, clock, ticks
        self._ahead: Unchanged[tuple[str, int]] = Unchanged(lease.total_seconds())
        self._recording: Grouped[Attempt] = Grouped(self._record_all)

    async def take(self, room: Room) -> list[Claim]:
        """What is due, ours for LEASE; durable before anything is sent. Raises SQLAlchemyError."""
        now, found = self._clock(), []
        ready = await self._store.rows(_ready(now))
        if ready:
            async with self._store.transaction() as connection:
                for row in ready:
                    found += await self._take(connection, row, room, now)
        return found

    async def record(self, attempt: Attempt) -> None:
        """Return once what follows from an attempt is durable. Raises SQLAlchemyError."""
        await self._recording.submit(attempt)

    async def reap(self, *, every: bool = False) -> int:
        """Give back what a dead process had claimed: its lease ran out, or with `every` whatever it is.

        And what waits for an instant that a wrong clock wrote is due now. A lease that such a clock wrote ends when the
        claim has stood unchanged for as long as a delivery can take.
        """
        d, now = deliveries.c, self._clock()
        over = or_(d.lease_until <= now, true() if every else d.lease_until.is_(None))
        dead = await self._dead(now)
        lost = (
            d.state == State.SENDING,
            or_(over, tuple_(d.delivery_id, d.tries).in_(dead)) if dead else over,
        )
        back = {"state": State.PENDING, "next_attempt_at": now, "lease_until": None, "outcome": "abandoned"}
        known = d.endpoint_id.in_(select(endpoints.c.endpoint_id))  # by the index of what is due
        ahead = known, d.state == State.PENDING, astray(d.next_attempt_at, now)
        async with self._store.transaction() as connection:
            await connection.execute(update(deliveries).where(*ahead).values(next_attempt_at=now))
            return int((await connection.execute(update(deliveries).where(*lost).values(back))).rowcount)

    async def _dead(self, now: datetime) -> list[tuple[str, int]]:
        """Claims, by their number of tries, that lie further ahead than any that is made now, and of which nothing comes."""
        d = deliveries.c
        ahead = select(d.delivery_id, d.tries).where(
            d.state == State.SENDING, d.lease_until > now + 2 * LEASE
        )
        rows = await self._store.rows(ahead)
        return self._ahead.dead([(row["delivery_id"], row["tries"]) for row in rows], self._ticks())

    async def _take(self, connection: AsyncConnection, row: Row, room: Room, now: datetime) -> list[Claim]:
        endpoint_id, endpoint = row["endpoint_id"], endpoint_of(row["event"])
        state = await health_of(connection, endpoint_id)
        free = min(room(endpoint), 1 if state.open else 10**6)
        waits = state.waits(now)
        if free <= 0 or waits or AlarmKind.GONE in state.raised:
            return []
        if state.open:  # nobody else probes while this one may be on its way
            await keep_health(self._store, connection, endpoint_id, replace(state, probe_at=now + LEASE))
        d = deliveries.c
        mine = (d.endpoint_id == endpoint_id, d.state == State.PENDING, d.next_attempt_at <= now)
        first = select(d.delivery_id).where(*mine).order_by(d.next_attempt_at, d.delivery_id).limit(free)
        taken = (
            update(deliveries)
            .where(d.delivery_id.in_(first), unindexed(d.state) == State.PENDING)
            .values(state=State.SENDING, tries=d.tries + 1, lease_until=now + LEASE)
            .returning(deliveries)
        )
        return [_claimed(found, endpoint, state.open) for found in await rows_of(connection, taken)]

    async def _record_all(self, made: Sequence[Attempt]) -> None:
        async with self._store.transaction() as connection:
            for attempt in made:
                await self._record(connection, attempt)

    async def _record(self, connection: AsyncConnection, attempt: Attempt) -> None:
        claim, outcome, now = attempt.claim, attempt.outcome, attempt.at
        step = after(outcome, claim.spent, claim.delivery_id, now, probe=claim.probe)
        d, endpoint_id = deliveries.c, str(claim.endpoint.endpoint_id)
        await self._store.insert_new(connection, attempts, _logged(attempt))
        active = await _is_active(connection, endpoint_id)
        state = State.HELD if step.state is State.PENDING and not active else step.state
        mine = (d.delivery_id == claim.delivery_id, d.tries == claim.tries, d.state == State.SENDING)
        values = {
            "state": state,
            "spent": step.spent,
            "next_attempt_at": step.at or now,
            "lease_until": None,
            "outcome": outcome.code,
            "ended_at": now if state is State.DELIVERED else None,
        }
        await connection.execute(update(deliveries).where(*mine).values(values))
        before = await health_of(connection, endpoint_id)
        found = seen(before, outcome, step.state, now, probe=claim.probe)
        if found != before:
            await keep_health(self._store, connection, endpoint_id, found)
        for alarm in sorted(found.raised - before.raised):
            await raise_alarm(self._store, connection, endpoint_id, alarm, found.failing_since or now, now)


def _ready(now: datetime) -> Any:
    """The active endpoints for which something is due and no breaker says wait: one look at an index for each."""
    d = deliveries.c
    waiting = exists().where(
        d.endpoint_id == endpoints.c.endpoint_id, d.state == State.PENDING, d.next_attempt_at <= now
    )
    return select(endpoints.c.endpoint_id, endpoints.c.event).where(
        endpoints.c.state == EndpointState.ACTIVE, waiting
    )


def _claimed(row: Row, endpoint: EndpointChangedData, probe: bool) -> Claim:
    named = {
        name: row[name] for name in ("delivery_id", "case_id", "tries", "spent", "told_at", "traceparent")
    }
    return Claim(endpoint=endpoint, body=row["body"].encode(), probe=probe, **named)


def _logged(attempt: Attempt) -> Row:
    return {
        "delivery_id": attempt.claim.delivery_id,
        "number": attempt.claim.tries,
        "at": attempt.at,
        "verdict": attempt.outcome.verdict,
        "code": attempt.outcome.code,
        "milliseconds": attempt.milliseconds,
        "probe": attempt.claim.probe,
    }


async def _is_active(connection: AsyncConnection, endpoint_id: str) -> bool:
    query = select(endpoints.c.state).where(endpoints.c.endpoint_id == endpoint_id)
    return bool((await connection.execute(query)).scalar() == EndpointState.ACTIVE)
