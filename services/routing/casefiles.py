"""Reads a case from its stream; of what it knows already it only looks whether the end still stands."""

import asyncio
from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from contracts.events import CaseDecided, CaseStepped, ReportAccepted
from contracts.steps import Matter
from services.routing.core.life import Step
from services.runtime.bus import Bus
from services.runtime.reading import surely
from services.runtime.sharing import Shared

OPENINGS, SPOKEN = 4, 64
"""Cases of which the opening (25 MB where it names 200 persons) and what was said are kept. A limit passes for all persons
of a case at once, with a step for each, and every step holds the state of all persons."""
AT_ONCE = 4
"""Openings that are read at once."""
T = TypeVar("T")


class NoSuchCase(Exception):
    """There is no decided case of this id."""


class _Opening(NamedTuple):
    """How a case began, with the bytes it was read from: to read them is cheap, to understand two megabytes is not."""

    raw: tuple[bytes, bytes]
    accepted: ReportAccepted
    decided: CaseDecided


class File(NamedTuple):
    """A case as its stream holds it: what was said, and the record of the last step, which holds every person's state."""

    accepted: ReportAccepted
    decided: CaseDecided
    steps: tuple[Step, ...]
    last: CaseStepped | None

    @property
    def matters(self) -> tuple[Matter, ...]:
        return self.last.data.persons if self.last else self.decided.data.persons

    def dated(self, now: datetime) -> datetime:
        """What is said now is dated no earlier than what it follows, by whatever clock that was said."""
        return max(now, self.last.time if self.last else self.decided.time)


class _Kept(OrderedDict[UUID, T]):
    """The cases used last, `most` of them."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, case_id: UUID, what: T) -> T:
        self[case_id] = what
        self.move_to_end(case_id)
        if len(self) > self._most:
            self.popitem(last=False)
        return what


class Casefiles:
    """Raises NoSuchCase, and BrokerAway while the stream cannot be read."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._opened, self._few = Shared(self._open), asyncio.Semaphore(AT_ONCE)
        self._openings, self._heard = _Kept[_Opening](OPENINGS), _Kept[tuple[Step, ...]](SPOKEN)

    async def read(self, case_id: UUID) -> File:
        """The case as it stands now."""
        opening = await self._opened(case_id)
        steps = self._heard.get(case_id, ())
        last = await self.step(case_id, len(steps)) if steps else None
        if steps and (last is None or _heard(last) != steps[-1]):
            steps, last = (), None  # the stream lost its end, and others may have gone on
        while found := await self.step(case_id, len(steps) + 1):
            steps, last = (*steps, _heard(found)), found
        return File(opening.accepted, opening.decided, self._heard.keep(case_id, steps), last)

    async def step(self, case_id: UUID, number: int) -> CaseStepped | None:
        """One record of a step."""
        stored = await surely(self._bus, f"cases.{case_id}.step.{number}")
        return CaseStepped.model_validate_json(stored) if stored else None

    async def _open(self, case_id: UUID) -> _Opening:
        """Also a case that is known is looked for: a stream that lost it takes no step of it (StreamLost)."""
        async with self._few:
            return self._openings.keep(case_id, await self._begun(case_id, self._openings.get(case_id)))

    async def _begun(self, case_id: UUID, known: _Opening | None) -> _Opening:
        decision = await self._first(f"cases.{case_id}.decided")
        same = known if known and known.raw[1] == decision else None
        decided = same.decided if same else CaseDecided.model_validate_json(decision)
        report = await self._first(f"reports.{decided.data.report_id}.accepted")
        if same and same.raw[0] == report:
            return same
        accepted = ReportAccepted.model_validate_json(report)
        return _Opening((report, decision), accepted, decided)

    async def _first(self, subject: str) -> bytes:
        """Of a case decided just now a copy of the stream may not know yet: only its leader says that there is none."""
        found = await surely(self._bus, subject)
        if not found:
            raise NoSuchCase
        return found


def _heard(event: CaseStepped) -> Step:
    data = event.data
    return Step(data.number, event.time, str(data.by), data.office, data.said)
