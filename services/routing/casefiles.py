"""Reads a case from its stream; of what it knows already it only looks whether the end still stands."""

from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from contracts.events import CaseDecided, CaseStepped, ReportAccepted
from contracts.steps import Matter
from services.routing.core.life import Step
from services.runtime.bus import Bus
from services.runtime.sharing import Shared

MOST = 16
"""Cases of which openings and steps are kept. A limit passes for 200 persons of one at once, with a step for each, and
every step holds the state of all persons."""
T = TypeVar("T")


class NoSuchCase(Exception):
    """There is no decided case of this id."""


class Opening(NamedTuple):
    """What never changes of a case."""

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
    """The MOST cases used last."""

    def keep(self, case_id: UUID, what: T) -> T:
        self[case_id] = what
        self.move_to_end(case_id)
        if len(self) > MOST:
            self.popitem(last=False)
        return what


class Casefiles:
    """Raises NoSuchCase, and BrokerAway while the stream cannot be read."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._opened = Shared(self._open)
        self._openings, self._heard = _Kept[Opening](), _Kept[tuple[Step, ...]]()

    async def read(self, case_id: UUID) -> File:
        """The case as it stands now."""
        opening = self._openings.get(case_id) or await self._opened(case_id)
        steps = self._heard.get(case_id, ())
        last = await self.step(case_id, len(steps)) if steps else None
        if steps and (
            last is None or _heard(last) != steps[-1]
        ):  # the stream lost its end, and others went on
            steps, last = (), None
        while found := await self.step(case_id, len(steps) + 1):
            steps, last = (*steps, _heard(found)), found
        return File(*opening, self._heard.keep(case_id, steps), last)

    async def step(self, case_id: UUID, number: int) -> CaseStepped | None:
        """One record of a step."""
        stored = await self._bus.read(f"cases.{case_id}.step.{number}")
        return CaseStepped.model_validate_json(stored) if stored else None

    async def _open(self, case_id: UUID) -> Opening:
        raw = await self._bus.read(f"cases.{case_id}.decided")
        if raw is None:
            raise NoSuchCase
        decided = CaseDecided.model_validate_json(raw)
        accepted = await self._bus.read(f"reports.{decided.data.report_id}.accepted")
        if accepted is None:
            raise NoSuchCase
        return self._openings.keep(case_id, Opening(ReportAccepted.model_validate_json(accepted), decided))


def _heard(event: CaseStepped) -> Step:
    data = event.data
    return Step(data.number, event.time, str(data.by), data.office, data.said)
