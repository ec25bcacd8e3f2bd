"""Looks after push: gives back what died, stops endpoints that are gone, and tells what a human must hear."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from contracts.envelope import event_id
from contracts.steps import NETRAL
from contracts.webhooks import (
    AlarmKind,
    EndpointChange,
    EndpointState,
    WebhookAlarm,
    WebhookAlarmData,
)
from services.routing.core.health import suspended
from services.routing.delivery.claims import Claims
from services.routing.delivery.endpoints import SOURCE, Crossed, Endpoints, endpoint_of
from services.routing.delivery.health_rows import health_from, raise_alarm
from services.routing.delivery.retention import Retention
from services.routing.delivery.store import Row, Store
from services.routing.delivery.tables import alarms, endpoints, health
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log

SECONDS = 5.0


class Keeper:
    """Repeating any part of its work changes nothing."""

    def __init__(
        self,
        store: Store,
        claims: Claims,
        registered: Endpoints,
        bus: Callable[[], Bus | None],
        clock: Clock,
        retention: Retention,
    ) -> None:
        self._store, self._claims, self._endpoints = store, claims, registered
        self._bus, self._clock, self._retention = bus, clock, retention

    async def run(self) -> None:
        """Look until cancelled; what is away is waited for."""
        while True:
            try:
                await self.look()
            except (BrokerAway, SQLAlchemyError) as trouble:
                log("webhooks.waiting", level="WARNING", error=type(trouble).__name__)
            await asyncio.sleep(SECONDS)

    async def look(self) -> None:
        """Once. Raises BrokerAway and SQLAlchemyError."""
        if lost := await self._claims.reap():
            log("deliveries.abandoned", level="WARNING", deliveries=lost)
        await self._endpoints.follow()
        await self._stop_the_hopeless()
        await self._tell()
        if shortened := await self._retention.look():
            log("deliveries.shortened", deliveries=shortened)

    async def _stop_the_hopeless(self) -> None:
        joined = endpoints.join(health, health.c.endpoint_id == endpoints.c.endpoint_id)
        query = select(endpoints.c.event, health.c.document).select_from(joined)
        for row in await self._store.rows(query.where(endpoints.c.state == EndpointState.ACTIVE)):
            state = health_from(row["document"])
            if AlarmKind.GONE in state.raised:
                await self._stop(row, EndpointChange.DISABLED)
            elif suspended(state, self._clock()):
                await self._stop(row, EndpointChange.SUSPENDED)

    async def _stop(self, row: Row, change: EndpointChange) -> None:
        """The alarm first: if we die in between, it is raised again, which changes nothing."""
        endpoint, now = endpoint_of(row["event"]), self._clock()
        if change is EndpointChange.SUSPENDED:
            since = health_from(row["document"]).failing_since or now
            async with self._store.transaction() as connection:
                key = str(endpoint.endpoint_id)
                await raise_alarm(self._store, connection, key, AlarmKind.SUSPENDED, since, now)
        try:
            await self._endpoints.change(endpoint, change, NETRAL, state=EndpointState(change.value))
        except Crossed:
            log("webhook.crossed", endpoint_id=str(endpoint.endpoint_id))

    async def _tell(self) -> None:
        """Publish the alarms nobody was told of yet; each has one subject."""
        if (bus := self._bus()) is None:
            return
        joined = alarms.join(endpoints, endpoints.c.endpoint_id == alarms.c.endpoint_id)
        columns = (alarms, endpoints.c.agency, endpoints.c.office)
        query = select(*columns).select_from(joined).where(alarms.c.told.is_(False)).limit(200)
        if not (rows := await self._store.rows(query)):
            return
        await bus.tell([_event(row) for row in rows])
        for row in rows:
            log("webhook.alarm", level="ERROR", **{n: row[n] for n in ("alarm", "agency", "endpoint_id")})
        told = update(alarms).where(alarms.c.alarm_id.in_([row["alarm_id"] for row in rows]))
        async with self._store.transaction() as connection:
            await connection.execute(told.values(told=True))


def _event(row: Row) -> WebhookAlarm:
    endpoint_id, alarm_id = UUID(row["endpoint_id"]), UUID(row["alarm_id"])
    told = {name: row[name] for name in ("agency", "office", "alarm", "since")}
    return WebhookAlarm(
        id=event_id(alarm_id, "told"),
        source=SOURCE,
        subject=str(endpoint_id),
        time=row["at"],
        data=WebhookAlarmData.model_validate({"alarm_id": alarm_id, "endpoint_id": endpoint_id, **told}),
    )
