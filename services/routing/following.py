"""Keeps the read model and the timers in step with what is stored, many events in one commit."""

import asyncio
from collections.abc import Sequence

from nats.aio.msg import Msg
from opentelemetry.trace import Tracer
from sqlalchemy.exc import SQLAlchemyError

from contracts.events import CaseDecided, CaseStepped
from services.routing.stored_events import event_in
from services.routing.timers import Timers
from services.routing.views import Entry, Views
from services.runtime.failures import TryLater
from services.runtime.inner_spans import storing

DURABLES = ("routing-projection", "routing-resembles", "routing-notices")


class Following:
    """Repeating any part of it changes nothing. A database that is away is waited for: the streams keep the events."""

    def __init__(self, views: Views, timers: Timers, tracer: Tracer) -> None:
        self._views, self._timers, self._tracer = views, timers, tracer

    async def handle(self, messages: Sequence[Msg]) -> None:
        """Write events, then set the timers of their cases. Raises ValidationError, TryLater and BrokerAway."""
        read = [(message.metadata, event_in(message.data)) for message in messages]
        entries = [Entry(where.stream, where.sequence.stream, event) for where, event in read]
        try:
            with storing(self._tracer, self._views.engine, "views", len(entries)):
                await self._views.keep_all(entries)
            await asyncio.gather(
                *(
                    self._timers.follow(event, first=where.num_delivered == 1)
                    for where, event in read
                    if isinstance(event, CaseDecided | CaseStepped)
                )
            )
        except SQLAlchemyError:
            raise TryLater(5) from None
