"""The registered endpoints: every change is an event first, then a row; the log alone gives the table back."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import event_id
from contracts.ids import NETRAL, derived_id
from contracts.webhooks import (
    EndpointChange,
    EndpointChanged,
    EndpointChangedData,
    EndpointKey,
    EndpointState,
    Signing,
)
from services.routing.core.deliveries import State
from services.routing.delivery.store import Store, rows_of
from services.routing.delivery.tables import deliveries, endpoints, health
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.reading import page_of, surely

STREAM = "WEBHOOKS"
MOST_ENDPOINTS = 5
"""Endpoints of one holder that are not deleted."""
SOURCE = "netral/routing"


class Crossed(Exception):
    """Another change came first, or this one is not possible now; the text says which and the cure."""


class Endpoints:
    """`bus` gives the connection, None while there is none yet."""

    def __init__(self, store: Store, bus: Callable[[], Bus | None], clock: Clock) -> None:
        self._store, self._bus, self._clock = store, bus, clock

    async def find(self, endpoint_id: str) -> EndpointChangedData | None:
        """An endpoint, also a deleted one."""
        rows = await self._rows(endpoints.c.endpoint_id == endpoint_id)
        return rows[0] if rows else None

    async def of(self, agency: str | None, office: str | None = None) -> list[EndpointChangedData]:
        """The endpoints of an agency or one of its offices, or of all; not the deleted ones."""
        wanted = [endpoints.c.state != EndpointState.DELETED]
        wanted += [endpoints.c.agency == agency] if agency else []
        wanted += [endpoints.c.office == office] if office else []
        return await self._rows(*wanted)

    async def register(
        self, agency: str, office: str | None, url: str, signing: Signing, by: str
    ) -> EndpointChangedData:
        """A new endpoint, not proved yet. Raises Crossed and BrokerAway."""
        every = [e for e in await self._rows(endpoints.c.agency == agency) if e.office == office]
        living = [endpoint for endpoint in every if endpoint.state is not EndpointState.DELETED]
        if any(endpoint.url == url for endpoint in living):
            raise Crossed("this address is registered already; rotate its key if you lost it")
        if len(living) >= MOST_ENDPOINTS:
            raise Crossed(f"there are {MOST_ENDPOINTS} endpoints already; delete one first")
        data = {
            "endpoint_id": derived_id(NETRAL, "endpoint", agency, office or "", str(len(every))),
            "number": 1,
            "agency": agency,
            "office": office,
            "url": url,
            "signing": signing,
            "keys": (EndpointKey(number=1),),
            "state": EndpointState.PENDING,
            "change": EndpointChange.REGISTERED,
            "by": by,
        }
        return await self._tell(EndpointChangedData.model_validate(data))

    async def change(
        self, endpoint: EndpointChangedData, change: EndpointChange, by: str, **changed: Any
    ) -> EndpointChangedData:
        """The endpoint with some of its fields changed. Raises Crossed and BrokerAway."""
        if endpoint.state is EndpointState.DELETED:
            raise Crossed("this endpoint was deleted; register the address anew")
        told = {"number": endpoint.number + 1, "change": change, "by": by, **changed}
        return await self._tell(endpoint.model_copy(update=told))

    async def follow(self) -> None:
        """Bring in every change the table does not know yet. Raises BrokerAway and SQLAlchemyError."""
        if (bus := self._bus()) is None:
            return
        seq = await self._store.position(STREAM)
        while page := await page_of(bus, STREAM, seq + 1):
            seq = page[-1].seq
            async with self._store.transaction() as connection:
                for stored in page:
                    if (event := _read(stored.body)) is not None:
                        await _apply(connection, event)
                await self._store.advance(connection, STREAM, seq)

    async def _tell(self, data: EndpointChangedData) -> EndpointChangedData:
        """The stream decides between two at the same moment: its subject is taken once."""
        if (bus := self._bus()) is None:
            raise BrokerAway(ambiguous=False)
        event = EndpointChanged(
            id=event_id(data.endpoint_id, str(data.number)),
            source=SOURCE,
            subject=str(data.endpoint_id),
            time=self._clock(),
            data=data,
        )
        await bus.tell([event])
        stored = _read(await surely(bus, event.nats_subject) or b"") or event
        async with self._store.transaction() as connection:
            await _apply(connection, stored)
        if stored.data != data:
            raise Crossed("somebody else changed this endpoint at the same moment; look at it again")
        return data

    async def _rows(self, *wanted: Any) -> list[EndpointChangedData]:
        query = select(endpoints).where(*wanted).order_by(endpoints.c.agency, endpoints.c.endpoint_id)
        return [endpoint_of(row["event"]) for row in await self._store.rows(query)]


def endpoint_of(event: str) -> EndpointChangedData:
    """The endpoint a row holds."""
    return EndpointChangedData.model_validate(json.loads(event)["data"])


async def _apply(connection: AsyncConnection, event: EndpointChanged) -> None:
    """Make the row as a change leaves it, and the queue with it; an older change than the row's does nothing."""
    data, c = event.data, endpoints.c
    found = await rows_of(connection, select(endpoints).where(c.endpoint_id == str(data.endpoint_id)))
    known = found[0] if found else None
    if known and known["number"] >= data.number:
        return
    proved: datetime | None = known["proved_at"] if known else None
    active = data.state is EndpointState.ACTIVE
    fields = {
        "number": data.number,
        "agency": data.agency,
        "office": data.office,
        "state": data.state,
        "proved_at": proved or (event.time if active else None),
        "event": event.model_dump_json(by_alias=True),
    }
    if known:
        await connection.execute(
            update(endpoints).where(c.endpoint_id == known["endpoint_id"]).values(fields)
        )
    else:
        await connection.execute(insert(endpoints), {"endpoint_id": str(data.endpoint_id), **fields})
    if active and data.change in (EndpointChange.PROVED, EndpointChange.MOVED):
        await _resume(connection, data.endpoint_id, event.time)
    elif not active:
        await _hold(connection, data.endpoint_id)


async def _resume(connection: AsyncConnection, endpoint_id: UUID, now: datetime) -> None:
    """What waited for the endpoint begins its schedule anew, and its spell of failures is over."""
    d = deliveries.c
    waiting = (d.endpoint_id == str(endpoint_id), d.state.in_((State.HELD, State.PENDING)))
    again = {"state": State.PENDING, "spent": 0, "next_attempt_at": now, "ended_at": None}
    await connection.execute(update(deliveries).where(*waiting).values(again))
    await connection.execute(delete(health).where(health.c.endpoint_id == str(endpoint_id)))


async def _hold(connection: AsyncConnection, endpoint_id: UUID) -> None:
    d = deliveries.c
    waiting = (d.endpoint_id == str(endpoint_id), d.state == State.PENDING)
    await connection.execute(update(deliveries).where(*waiting).values(state=State.HELD))


def _read(raw: bytes) -> EndpointChanged | None:
    """A change; None for an alarm, which lies in the same stream."""
    try:
        return EndpointChanged.model_validate_json(raw)
    except ValidationError:
        return None
