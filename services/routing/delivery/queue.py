"""Queues what agencies are told: one row for each event and endpoint, with an id that never changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.agency_events import AgencyDue, AgencyOffered, AgencyStepped
from contracts.ids import derived_id
from contracts.webhooks import EndpointState
from services.routing.core.bodies import body_of
from services.routing.core.deliveries import State
from services.routing.delivery.store import Row, Store, rows_of
from services.routing.delivery.tables import deliveries, endpoints
from services.runtime.clock import Clock

STREAM = "TOLD"
DURABLE = "routing-deliveries"
AHEAD = 200
"""Events that concern no endpoint are remembered as read so many at a time; reading them again changes nothing."""


class Told(NamedTuple):
    """An event of the agencies' stream with its place, and the trace it came by."""

    seq: int
    event: AgencyOffered | AgencyStepped | AgencyDue
    traceparent: str | None = None


class Queue:
    """Queueing an event again changes nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._read = 0

    async def keep_all(self, told: Sequence[Told]) -> bool:
        """Queue events and remember how far the stream is read, in one transaction. Raises SQLAlchemyError.

        Whether one of them concerns an endpoint.
        """
        now = self._clock()
        async with self._store.transaction() as connection:
            known = await _known(connection, {one.event.data.agency for one in told})
            rows = [_row(one, row, now) for one in told for row in known if _concerns(one, row, now)]
            seq = max(one.seq for one in told)
            if rows:
                await self._store.insert_new(connection, deliveries, rows)
            if rows or seq - self._read >= AHEAD:
                await self._store.advance(connection, STREAM, seq)
                self._read = seq
        return bool(rows)


async def _known(connection: AsyncConnection, agencies: set[Any]) -> list[Row]:
    """The endpoints of some agencies to which something may be queued: they were proved once."""
    c = endpoints.c
    wanted = (c.agency.in_(agencies), c.state != EndpointState.DELETED, c.proved_at.is_not(None))
    return await rows_of(connection, select(endpoints).where(*wanted))


def _concerns(told: Told, row: Row, now: datetime) -> bool:
    """The inbox's own selection: an agency's key sees all its offices, an office's key its own.

    Not what was told before the address was proved, unless it seems not to be proved yet: then a clock was wrong.
    """
    data = told.event.data
    mine = row["agency"] == data.agency and row["office"] in (None, data.office)
    return mine and bool(row["proved_at"] <= told.event.time or now < row["proved_at"])


def _row(told: Told, endpoint: Row, now: datetime) -> Row:
    event, active = told.event, endpoint["state"] == EndpointState.ACTIVE
    return {
        "delivery_id": str(derived_id(UUID(endpoint["endpoint_id"]), "delivery", str(event.id))),
        "endpoint_id": endpoint["endpoint_id"],
        "agency": endpoint["agency"],
        "office": endpoint["office"],
        "case_id": str(event.data.case_id),
        "event_id": str(event.id),
        "type": event.type,
        "told_at": event.time,
        "state": State.PENDING if active else State.HELD,
        "spent": 0,
        "tries": 0,
        "next_attempt_at": now,
        "created_at": now,
        "body": body_of(event).decode(),
        "traceparent": told.traceparent,
    }
