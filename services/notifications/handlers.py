"""What the bus says becomes notices: decide, remember durably, and only then acknowledge."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from faststream.nats import NatsBroker, NatsMessage

from contracts.events import CaseDecided, CaseOffered, ReportAccepted, ReportLinked
from services.notifications.commits import LedgerAway
from services.notifications.core.notices import Notice, on_accepted, on_decided, on_linked, on_offered
from services.notifications.ledger import Ledger
from services.runtime.clock import Clock
from services.runtime.failures import TryLater
from services.runtime.messaging import BrokerAway, Bus, durable
from services.runtime.spans import note
from services.runtime.telemetry import trace_headers


class Handlers:
    """One method for each durable; `due` wakes the sender. `bus` is None until the broker has been reached."""

    def __init__(self, ledger: Ledger, clock: Clock, due: asyncio.Event, bus: Bus | None = None) -> None:
        self.bus = bus
        self._ledger = ledger
        self._clock = clock
        self._due = due

    def subscribe(self, broker: NatsBroker) -> None:
        """Bind to the durables of this service."""
        broker.subscriber(**durable("notifications-received"))(self.received)
        broker.subscriber(**durable("notifications-offered"))(self.offered)
        broker.subscriber(**durable("notifications-decided"))(self.decided)
        broker.subscriber(**durable("notifications-linked"))(self.linked)

    async def received(self, message: NatsMessage) -> None:
        await self.remember([on_accepted(ReportAccepted.model_validate_json(message.body))])

    async def offered(self, message: NatsMessage) -> None:
        await self.remember(on_offered(CaseOffered.model_validate_json(message.body)))

    async def decided(self, message: NatsMessage) -> None:
        await self.remember([on_decided(CaseDecided.model_validate_json(message.body))])

    async def linked(self, message: NatsMessage) -> None:
        event = ReportLinked.model_validate_json(message.body)
        await self.remember([on_linked(event, await self._decision(event.data.case_id))])

    async def _decision(self, case_id: UUID) -> CaseDecided:
        """The decision that stands for a case. Raises TryLater while it cannot be read."""
        try:
            raw = await self.bus.read(f"cases.{case_id}.decided") if self.bus else None
        except BrokerAway:
            raw = None
        if raw is None:
            raise TryLater(2)
        return CaseDecided.model_validate_json(raw)

    async def remember(self, found: Sequence[Notice]) -> None:
        """Record notices with the trace they belong to. Raises TryLater while the ledger is away."""
        try:
            await self._ledger.record(found, self._clock(), trace_headers().get("traceparent"))
        except LedgerAway:
            raise TryLater(2) from None
        note(notices=len(found))
        self._due.set()
