"""What people ask of push, and what they do with it: lists, attempts, replays, and what the receiver says it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from contracts.webhooks import EndpointState
from services.routing.core.deliveries import State
from services.routing.delivery.health_rows import health_from
from services.routing.delivery.store import Row, Store, rows_of
from services.routing.delivery.tables import attempts, deliveries, endpoints, health, replays
from services.runtime.clock import Clock

_SHOWN = [column for column in deliveries.c if column.name not in ("body", "traceparent", "lease_until")]
_WAITING = (State.PENDING, State.SENDING, State.HELD)


@dataclass(frozen=True)
class Wanted:
    """Which deliveries: all that fit every field that is given. `since` and `until` bound when they were queued."""

    agency: str | None = None
    office: str | None = None
    endpoint_id: str | None = None
    state: str | None = None
    handled: str | None = None
    ids: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[Any]:
        c = deliveries.c
        named = ("agency", "office", "endpoint_id", "state", "handled")
        found = [c[name] == value for name in named if (value := getattr(self, name)) is not None]
        found += [c.delivery_id.in_(self.ids)] if self.ids else []
        found += [c.created_at >= self.since.astimezone(UTC)] if self.since else []
        found += [c.created_at < self.until.astimezone(UTC)] if self.until else []
        return found


class Questions:
    """Reads, and the two writes that people make."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def deliveries(self, wanted: Wanted, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
        """In the order they were queued; `after` is the last one seen (when queued, and id)."""
        c = deliveries.c
        query = select(*_SHOWN).where(*wanted.conditions())
        if after:
            at, key = after[0].astimezone(UTC), after[1]
            query = query.where(or_(c.created_at > at, and_(c.created_at == at, c.delivery_id > key)))
        return await self._store.rows(query.order_by(c.created_at, c.delivery_id).limit(limit))

    async def attempts(self, delivery_id: str) -> list[Row]:
        """Every attempt of a delivery, without what was sent or answered."""
        c = attempts.c
        return await self._store.rows(select(attempts).where(c.delivery_id == delivery_id).order_by(c.number))

    async def overview(self, endpoint_ids: Sequence[str]) -> dict[str, Row]:
        """Of each endpoint: its health, and how many deliveries wait or are held."""
        c = deliveries.c
        counted = (
            select(c.endpoint_id, c.state, func.count().label("n"))
            .where(c.endpoint_id.in_(endpoint_ids), c.state.in_(_WAITING))
            .group_by(c.endpoint_id, c.state)
        )
        found: dict[str, Row] = {
            key: {"health": health_from(None), "held": 0, "pending": 0} for key in endpoint_ids
        }
        for row in await self._store.rows(counted):
            found[row["endpoint_id"]]["held" if row["state"] == State.HELD else "pending"] += row["n"]
        for row in await self._store.rows(select(health).where(health.c.endpoint_id.in_(endpoint_ids))):
            found[row["endpoint_id"]]["health"] = health_from(row["document"])
        return found

    async def replay(self, wanted: Wanted, key: str | None) -> int:
        """Begin the schedule of what fits anew, under the same ids; how many. Only endpoints in use are sent to.

        The same `key` is one replay, however often it is asked for.
        """
        c, now = deliveries.c, self._clock()
        async with self._store.transaction() as connection:
            if key and (known := await rows_of(connection, select(replays).where(replays.c.key == key))):
                return int(known[0]["number"])
            used = select(endpoints.c.endpoint_id).where(endpoints.c.state == EndpointState.ACTIVE)
            whole = (c.state != State.SENDING, c.body != "")  # without a body since it was delivered long ago
            fits = (*wanted.conditions(), *whole, c.endpoint_id.in_(used))
            again = {"state": State.PENDING, "spent": 0, "next_attempt_at": now, "ended_at": None}
            number = int((await connection.execute(update(deliveries).where(*fits).values(again))).rowcount)
            if key:
                row = {"key": key, "at": now, "number": number}
                await self._store.insert_new(connection, replays, row)
        return number

    async def handle(self, wanted: Wanted, handled: str, sealed: str | None) -> Row | None:
        """Keep what the receiver says it did with a delivery; None if there is no such. The last word counts."""
        said = {"handled": handled, "handled_at": self._clock(), "sealed": sealed}
        query = update(deliveries).where(*wanted.conditions()).values(said).returning(*_SHOWN)
        async with self._store.transaction() as connection:
            rows = await rows_of(connection, query)
        return rows[0] if rows else None
