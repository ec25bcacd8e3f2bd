"""Fills the read model from the streams when it knows less than was acknowledged: it was lost, or is an older copy."""

from nats.errors import Error as NatsError
from pydantic import TypeAdapter, ValidationError

from contracts.events import AnyEvent
from services.routing.projecting import Entry
from services.routing.views import Views
from services.runtime.bus import BrokerAway, Bus
from services.runtime.logs import log
from services.runtime.reading import page_of

PROJECTED = {"REPORTS": "routing-resembles", "CASES": "routing-projection", "NOTICES": "routing-notices"}
"""The streams of the read model, and the durable that keeps it up to date with each."""

_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


async def catch_up(bus: Bus, views: Views) -> None:
    """Read every stream anew whose acknowledged part is not all in the read model. Raises BrokerAway.

    Writing an event again changes nothing, so it starts at the first message.
    """
    for stream, durable in PROJECTED.items():
        acknowledged = await _acknowledged(bus, stream, durable)
        if acknowledged > await views.position(stream):
            log("views.rebuilding", level="WARNING", stream=stream, until=acknowledged)
            await _reread(bus, views, stream, acknowledged)
            log("views.rebuilt", stream=stream)


async def _acknowledged(bus: Bus, stream: str, durable: str) -> int:
    try:
        floor = (await bus.js.consumer_info(stream, durable)).ack_floor
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False) from None
    return (floor.stream_seq or 0) if floor else 0


async def _reread(bus: Bus, views: Views, stream: str, until: int) -> None:
    start = 1
    while start <= until:
        page = [_entry(stream, stored.seq, stored.body) for stored in await page_of(bus, stream, start)]
        if not page:
            return
        await views.keep_all(page)
        start = page[-1].seq + 1


def _entry(stream: str, seq: int, body: bytes) -> Entry:
    """What cannot be read was parked when it came by the durable; here it adds nothing."""
    try:
        return Entry(stream, seq, _ANY.validate_json(body))
    except ValidationError:
        return Entry(stream, seq, None)
