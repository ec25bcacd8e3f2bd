"""Fills the read model from the streams when it knows less than was acknowledged: it was lost, or is an older copy."""

from typing import NamedTuple

from nats.errors import Error as NatsError
from pydantic import TypeAdapter, ValidationError

from contracts.events import AnyEvent
from contracts.topology import CONSUMERS
from services.routing.projecting import Entry
from services.routing.views import Views
from services.runtime.bus import BrokerAway, Bus
from services.runtime.logs import log
from services.runtime.reading import page_of

PROJECTED = {"REPORTS": "routing-resembles", "CASES": "routing-projection", "NOTICES": "routing-notices"}
"""The streams of the read model, and the durable that keeps it up to date with each."""
_FILTER = {consumer.name: consumer.filters[0] for consumer in CONSUMERS}


class Page(NamedTuple):
    """Some entries of a stream, and how many more there are behind them."""

    entries: list[Entry]
    more: int


_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


async def catch_up(bus: Bus, views: Views) -> None:
    """Read every stream anew whose acknowledged part is not all in the read model. Raises BrokerAway.

    Writing an event again changes nothing, so it starts at the first message.
    """
    for stream in PROJECTED:
        until = await acknowledged(bus, stream)
        if until > await views.position(stream):
            log("views.rebuilding", level="WARNING", stream=stream, until=until)
            await _reread(bus, views, stream, until)
            log("views.rebuilt", stream=stream)


async def acknowledged(bus: Bus, stream: str) -> int:
    """Up to which message all that is projected was kept, or parked. Raises BrokerAway."""
    try:
        floor = (await bus.js.consumer_info(stream, PROJECTED[stream])).ack_floor
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False) from None
    return (floor.stream_seq or 0) if floor else 0


async def page_from(bus: Bus, stream: str, start: int) -> Page:
    """The next entries of a stream, of those that are projected. Raises BrokerAway."""
    found = await page_of(bus, stream, start, subjects=_FILTER[PROJECTED[stream]])
    more = int(found[-1].headers.get("Nats-Num-Pending", 0)) if found else 0
    return Page([_entry(stream, stored.seq, stored.body) for stored in found], more)


async def entries_between(bus: Bus, stream: str, after: int, until: int) -> list[Entry]:
    """What is projected of a stream after one message up to another. Raises BrokerAway."""
    found: list[Entry] = []
    while after < until and (page := await page_from(bus, stream, after + 1)).entries:
        found += [entry for entry in page.entries if entry.seq <= until]
        after = page.entries[-1].seq
    return found


async def _reread(bus: Bus, views: Views, stream: str, until: int) -> None:
    start = 1
    while start <= until and (page := await page_from(bus, stream, start)).entries:
        await views.keep_all(page.entries)
        start = page.entries[-1].seq + 1


def _entry(stream: str, seq: int, body: bytes) -> Entry:
    """What cannot be read was parked when it came by the durable; here it adds nothing."""
    try:
        return Entry(stream, seq, _ANY.validate_json(body))
    except ValidationError:
        return Entry(stream, seq, None)
