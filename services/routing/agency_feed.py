"""Fills the agencies' stream from the cases, in their order, many records in one durable write."""

from collections.abc import Sequence
from uuid import UUID

from nats.aio.msg import Msg

from contracts.events import CaseDecided, CaseDue, CaseStepped, Event
from contracts.steps import Matter
from services.routing.core.telling import matters_of, told_of_due, told_of_opening, told_of_step
from services.routing.stored_events import event_in
from services.runtime.bus import Bus
from services.runtime.reading import surely

DURABLE = "routing-agencies"
_TOLD = frozenset({"decided", "step", "due"})
"""Kinds of records that offices are told of."""


class AgencyFeed:
    """Repeating any part of it changes nothing: each event has one subject, stored once for ever."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def handle(self, messages: Sequence[Msg]) -> None:
        """Tell what follows from records of cases. Raises BrokerAway, and ValidationError for a record that is none."""
        records = [message.data for message in messages if message.subject.split(".")[2] in _TOLD]
        told = [event for record in records for event in await self._told(record)]
        await self._bus.tell(told)

    async def _told(self, raw: bytes) -> list[Event]:
        match event_in(raw):
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
        stored = await surely(self._bus, f"cases.{case_id}.{kind}")
        before = event_in(stored or b"")
        return matters_of(before) if isinstance(before, CaseDecided | CaseStepped) else ()
