"""Push, wired: its database, its consumer's hand, its sender and its keeper, beside the decisions and never before them."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from contracts.agency_events import AnyAgencyEvent
from services.routing.delivery.claims import Claims
from services.routing.delivery.endpoints import Endpoints
from services.routing.delivery.keeper import Keeper
from services.routing.delivery.network import Resolver
from services.routing.delivery.poster import Poster
from services.routing.delivery.proving import Prover
from services.routing.delivery.questions import Questions
from services.routing.delivery.queue import DURABLE, STREAM, Queue, Told
from services.routing.delivery.retention import Retention
from services.routing.delivery.sender import Sender
from services.routing.delivery.signing_keys import EndpointKeys
from services.routing.delivery.store import Store
from services.routing.settings import RoutingSettings
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.database import open_engine
from services.runtime.failures import TryLater
from services.runtime.logs import log
from services.runtime.reading import page_of
from services.runtime.settings import BadSettings
from services.runtime.telemetry import Telemetry

LAST_SECONDS = 4.0
"""What deliveries on their way get when the service stops."""
REREAD = 1000
"""Events that may be acknowledged out of order: so far before its position the queue reads again."""
_EVENT: TypeAdapter[AnyAgencyEvent] = TypeAdapter(AnyAgencyEvent)


class Push:
    """Everything behind the doors of webhooks. Raises BadSettings for a key that is none."""

    def __init__(
        self,
        settings: RoutingSettings,
        bus: Callable[[], Bus | None],
        clock: Clock,
        telemetry: Telemetry | None = None,
        resolve: Callable[[str], Resolver] | None = None,
    ) -> None:
        self.keys = _keys(settings)
        self.store = Store(open_engine(settings.deliveries_address))
        self.endpoints = Endpoints(self.store, bus, clock)
        self.queue = Queue(self.store, clock)
        self.claims = Claims(self.store, clock, timedelta(seconds=3 * settings.webhook_timeout))
        self.questions = Questions(self.store, clock)
        self.poster = Poster(
            settings.webhook_openings,
            clock,
            ca_file=settings.webhook_ca_file,
            resolve=resolve,
            total=settings.webhook_timeout,
        )
        self.prover = Prover(self.poster, self.keys, clock)
        self.sender = Sender(self.claims, self.poster, self.keys, clock, telemetry)
        retention = Retention(self.store, clock, settings.webhook_keep_days)
        self.keeper = Keeper(self.store, self.claims, self.endpoints, bus, clock, retention)
        self.ready = False

    async def run(self, bus: Bus) -> None:
        """Catch up with the streams, then send, until cancelled. What is away is waited for; decisions go on."""
        while not self.ready:
            try:
                await self._open(bus)
            except (BrokerAway, SQLAlchemyError) as trouble:
                log("deliveries.waiting", level="WARNING", error=type(trouble).__name__)
                await asyncio.sleep(1)
        await asyncio.gather(self.sender.run(), self.keeper.run())

    async def hear(self, messages: Sequence[Msg]) -> None:
        """Queue events of the agencies' stream. Raises ValidationError, and TryLater while the database is away."""
        told = [
            Told(
                message.metadata.sequence.stream,
                _EVENT.validate_json(message.data),
                (message.headers or {}).get("traceparent"),
            )
            for message in messages
        ]
        if not self.ready:
            raise TryLater(1)
        try:
            if await self.queue.keep_all(told):
                self.sender.due.set()
        except SQLAlchemyError:
            raise TryLater(5) from None

    async def stop(self) -> None:
        """After `run` was cancelled."""
        await self.sender.stop(LAST_SECONDS)
        await self.poster.close()
        await self.store.engine.dispose()

    async def _open(self, bus: Bus) -> None:
        """The endpoints first: what is queued depends on them."""
        await self.store.open()
        await self.endpoints.follow()
        await self._catch_up(bus)
        await self.claims.reap(every=self.store.exclusive)
        self.ready = True

    async def _catch_up(self, bus: Bus) -> None:
        """Queue what was acknowledged and is not in the queue: the database was lost, or is an older copy."""
        known = await self.store.position(STREAM)
        until = await _acknowledged(bus)
        if until <= known:
            return
        log("deliveries.rebuilding", level="WARNING", since=known, until=until)
        start = max(1, known - REREAD)
        while start <= until and (page := await page_of(bus, STREAM, start)):
            told = [Told(one.seq, event) for one in page if (event := _read(one.body))]
            if told:
                await self.queue.keep_all(told)
            start = page[-1].seq + 1


async def _acknowledged(bus: Bus) -> int:
    try:
        floor = (await bus.js.consumer_info(STREAM, DURABLE)).ack_floor
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False) from None
    return (floor.stream_seq or 0) if floor else 0


def _read(body: bytes) -> AnyAgencyEvent | None:
    """What cannot be read was parked when it came by the durable."""
    try:
        return _EVENT.validate_json(body)
    except ValidationError:
        return None


def _keys(settings: RoutingSettings) -> EndpointKeys:
    try:
        return EndpointKeys(settings.secret("webhook.key"))
    except ValueError:
        where = settings.data_dir / "secrets" / "webhook.key"
        raise BadSettings(f"{where}: is not 64 hexadecimal digits; restore it from your backup") from None
