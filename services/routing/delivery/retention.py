"""Forgets what was delivered long ago, but that it was: the body and the single attempts go, the line stays.

The line must stay: an event that is read again from the stream finds it and is not sent again.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from services.routing.core.deliveries import State
from services.routing.delivery.store import Store
from services.routing.delivery.tables import attempts, deliveries
from services.runtime.clock import Clock

EVERY = timedelta(hours=1)
AT_ONCE = 500


class Retention:
    """What is held or waits is never touched, whatever its age."""

    def __init__(self, store: Store, clock: Clock, days: int) -> None:
        self._store, self._clock, self._kept = store, clock, timedelta(days=days)
        self._next: datetime | None = None

    async def look(self) -> int:
        """Once an hour, or at once while there is more; how many were shortened. Raises SQLAlchemyError."""
        now = self._clock()
        if self._next and now < self._next <= now + EVERY:
            return 0
        found = await self._shorten(now - self._kept)
        if found < AT_ONCE:
            self._next = now + EVERY
        return found

    async def _shorten(self, until: datetime) -> int:
        d = deliveries.c
        old = (d.state == State.DELIVERED, d.created_at < until, d.ended_at < until, d.body != "")
        rows = await self._store.rows(
            select(d.delivery_id).where(*old).order_by(d.created_at, d.delivery_id).limit(AT_ONCE)
        )
        if ids := [row["delivery_id"] for row in rows]:
            async with self._store.transaction() as connection:
                shortened = update(deliveries).where(d.delivery_id.in_(ids), *old)
                await connection.execute(shortened.values(body="", traceparent=None))
                gone = select(d.delivery_id).where(d.delivery_id.in_(ids), d.body == "")
                await connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(gone)))
        return len(ids)
