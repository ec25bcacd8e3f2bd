"""What must be read of a case before anybody is written to: its decision, and which offices its persons head."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from contracts.events import CaseDecided, CaseStepped, NoticeSent, ReportAccepted, ReportLinked, ending_of
from contracts.facts import ReportFacts
from contracts.steps import Said
from services.notifications.core.judging import Offices, implicated
from services.notifications.core.matrix import Matrix
from services.notifications.core.notices import Notice
from services.runtime.failures import TryLater
from services.runtime.messaging import BrokerAway, Bus
from services.runtime.sharing import Shared

TURNS = 4
"""Endings of a notice that are asked for at once: it was sent, came back, was sent again by a person, came back again."""
AT_ONCE = 4
"""Decisions that are read at once: one about 200 persons takes 25 MB."""
MOST = 1_000
"""Cases whose facts are kept in memory."""


@dataclass
class _Known:
    """The facts of a case and what was said about its persons so far; both only ever grow."""

    facts: ReportFacts
    said: list[Said] = field(default_factory=list)


class Casefiles:
    """Reads the streams; `bus` is None until the broker has been reached."""

    def __init__(self, matrix: Matrix, bus: Bus | None = None) -> None:
        self.bus = bus
        self._matrix = matrix
        self._few = asyncio.Semaphore(AT_ONCE)
        self.decision = Shared(self._decision)
        """The decision that stands for a case. Raises TryLater while it cannot be read."""
        self._known: OrderedDict[UUID, _Known] = OrderedDict()

    async def _decision(self, case_id: UUID) -> CaseDecided:
        async with self._few:
            return CaseDecided.model_validate_json(await self._must(f"cases.{case_id}.decided"))

    async def heads(self, case_id: UUID, report_id: UUID, step: int = 0) -> Offices:
        """The offices that persons of a case head, by all that was said until now, at least to a step. Raises TryLater.

        The copy of the stream that answers may be behind the one that told of the step.
        """
        known = self._known.get(case_id)
        if known is None:
            accepted = ReportAccepted.model_validate_json(await self._must(f"reports.{report_id}.accepted"))
            known = self._known[case_id] = _Known(accepted.data.facts)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        while raw := await self._read(f"cases.{case_id}.step.{len(known.said) + 1}"):
            known.said.append(CaseStepped.model_validate_json(raw).data.said)
        if len(known.said) < step:
            raise TryLater(1)
        return implicated(known.facts, known.said, self._matrix)

    async def endings(self, found: Sequence[Notice]) -> dict[UUID, NoticeSent]:
        """How notices ended by the stream, the last word on each; of those that it knows. Raises TryLater."""
        ends = await asyncio.gather(*map(self._ending, found))
        return {end.data.notice_id: end for end in ends if end}

    async def _ending(self, notice: Notice) -> NoticeSent | None:
        """The last one that can be read; a stream that was damaged may lack some before it."""
        root, last, turn = f"notices.{notice.case_id}", None, 0
        while True:
            turns = [ending_of(notice.notice_id, turn + more) for more in range(TURNS)]
            raw = await asyncio.gather(*(self._read(f"{root}.{ending}") for ending in turns))
            if not any(raw):
                return last
            last = next((end for body in reversed(raw) if (end := _read_ending(body))), last)
            turn += TURNS

    async def linked_by(self, case_id: UUID, report_id: UUID, at: datetime) -> bool:
        """Whether a report belonged to its case at an instant. Raises TryLater."""
        raw = await self._read(f"cases.{case_id}.reports.{report_id}")
        return raw is not None and ReportLinked.model_validate_json(raw).time <= at

    async def _must(self, nats_subject: str) -> bytes:
        raw = await self._read(nats_subject)
        if raw is None:
            raise TryLater(2)
        return raw

    async def _read(self, nats_subject: str) -> bytes | None:
        try:
            if self.bus is None:
                raise TryLater(2)
            return await self.bus.read(nats_subject)
        except BrokerAway:
            raise TryLater(2) from None


def _read_ending(body: bytes | None) -> NoticeSent | None:
    try:
        return NoticeSent.model_validate_json(body) if body else None
    except ValidationError:
        return None
