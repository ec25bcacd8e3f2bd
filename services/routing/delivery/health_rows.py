"""Reads and writes the health of endpoints, and puts alarms where they wait to be told."""

from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.ids import derived_id
from contracts.webhooks import AlarmKind
from services.routing.core.health import Health
from services.routing.delivery.store import Store
from services.routing.delivery.tables import alarms, health

_HEALTH = TypeAdapter(Health)


def health_from(document: str | None) -> Health:
    """The health a row holds; a good one where there is no row."""
    return _HEALTH.validate_json(document) if document else Health()


async def health_of(connection: AsyncConnection, endpoint_id: str) -> Health:
    query = select(health.c.document).where(health.c.endpoint_id == endpoint_id)
    return health_from((await connection.execute(query)).scalar())


async def keep_health(store: Store, connection: AsyncConnection, endpoint_id: str, now: Health) -> None:
    document = _HEALTH.dump_json(now).decode()
    row = {"endpoint_id": endpoint_id, "document": document}
    if await store.insert_new(connection, health, row) == 0:
        c = health.c
        await connection.execute(update(health).where(c.endpoint_id == endpoint_id).values(document=document))


async def raise_alarm(
    store: Store,
    connection: AsyncConnection,
    endpoint_id: str,
    alarm: AlarmKind,
    since: datetime,
    now: datetime,
) -> None:
    """Once for each spell of failures, which begins at `since`."""
    alarm_id = derived_id(UUID(endpoint_id), "alarm", alarm, since.isoformat())
    row = {"alarm_id": str(alarm_id), "endpoint_id": endpoint_id, "alarm": alarm, "since": since}
    await store.insert_new(connection, alarms, {**row, "at": now, "told": False})
