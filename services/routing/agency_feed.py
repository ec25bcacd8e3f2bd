"""Fills the agencies' stream from the cases, in their order, many records in one durable write."""

import asyncio
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from pydantic import TypeAdapter

from contracts.events import AnyEvent, CaseDecided, CaseDue, CaseStepped, Event
from contracts.steps import Matter
from contracts.topology import TOLD_GROUP
from services.routing.core.telling import matters_of, told_of_due, told_of_opening, told_of_step
from services.runtime.bus import BrokerAway, Bus
from services.runtime.failures import LAST_DELIVERY, park
from services.runtime.logs import log

DURABLE = "routing-agencies"
GATHER_SECONDS = 0.05
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class AgencyFeed:
    """Repeating any part of it changes nothing: each event has one subject, stored once for ever."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def follow(self) -> None:
        """Tell and tell again, until cancelled. A broker that is away is waited for."""
        while True:
            try:
                records = await self._bus.js.pull_subscribe_bind(DURABLE, stream="CASES")
                while True:
                    await self._group(records)
            except (NatsError, OSError, TimeoutError, BrokerAway) as trouble:
                log("agencies.waiting", level="WARNING", error=type(trouble).__name__)
                await asyncio.sleep(1)

    async def _group(self, records: JetStreamContext.PullSubscription) -> None:
        messages = await _fetched(records)
        told, done = [], []
        for message in messages:
            try:
                told += await self._told(message.data)
            except BrokerAway:
                raise
            except Exception as trouble:  # one bad record must not silence all agencies
                await self._again_or_park(message, type(trouble).__name__)
            else:
                done.append(message)
        await self._bus.tell(told)
        for message in done:
            await message.ack()

    async def _told(self, raw: bytes) -> list[Event]:
        match _ANY.validate_json(raw):
            case CaseDecided() as record:
                return told_of_opening(record)
            case CaseStepped() as record:
                return told_of_step(record, await self._before(record.data.case_id, record.data.number))
            case CaseDue() as record:
                return told_of_due(record)
        return []

    async def _before(self, case_id: UUID, number: int) -> tuple[Matter, ...]:
        """The matters as the record before a step left them. Raises BrokerAway and ValueError."""
        kind = f"step.{number - 1}" if number > 1 else "decided"
        stored = await self._bus.read(f"cases.{case_id}.{kind}")
        before = _ANY.validate_json(stored or b"")
        return matters_of(before) if isinstance(before, CaseDecided | CaseStepped) else ()

    async def _again_or_park(self, message: Msg, error: str) -> None:
        meta = message.metadata
        if meta.num_delivered < LAST_DELIVERY[DURABLE] and error != "ValidationError":
            await message.nak(delay=5)
            return
        await park(
            self._bus.js,
            message.data,
            subject=message.subject,
            stream=meta.stream,
            consumer=meta.consumer,
            seq=meta.sequence.stream,
            deliveries=meta.num_delivered,
            reason=f"agencies cannot be told of it ({error})",
        )
        await message.ack()


async def _fetched(records: JetStreamContext.PullSubscription) -> list[Msg]:
    """What waits, at most a group. nats-py waits for the whole of a batch, so the first is asked for alone."""
    try:
        first: list[Msg] = await records.fetch(1, timeout=5)
    except TimeoutError:
        return []
    try:
        return [*first, *await records.fetch(TOLD_GROUP - 1, timeout=GATHER_SECONDS)]
    except TimeoutError:
        return first
