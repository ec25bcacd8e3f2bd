"""Keeps the read model and the timers in step with what is stored, many events in one commit."""

import asyncio
from collections.abc import Sequence

from nats.aio.msg import Msg
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from contracts.events import AnyEvent, CaseDecided, CaseStepped
from services.routing.timers import Timers
from services.routing.views import Entry, Views
from services.runtime.failures import TryLater

DURABLES = ("routing-projection", "routing-resembles", "routing-notices")
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class Following:
    """Repeating any part of it changes nothing. A database that is away is waited for: the streams keep the events."""

    def __init__(self, views: Views, timers: Timers) -> None:
        self._views, self._timers = views, timers

    async def handle(self, messages: Sequence[Msg]) -> None:
        """Write events, then set the timers of their cases. Raises ValidationError, TryLater and BrokerAway."""
        read = [(message.metadata, _ANY.validate_json(message.data)) for message in messages]
        entries = [Entry(where.stream, where.sequence.stream, event) for where, event in read]
        try:
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
