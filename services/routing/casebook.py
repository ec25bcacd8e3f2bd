"""Reads a case from its stream and adds steps to it: each number once, whoever races, with what follows from it."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from uuid import UUID

from contracts import regions
from contracts.codes import ProgressEvent
from contracts.events import CaseStepped, Event
from contracts.steps import Matter, MoveKind, Said
from services.routing.casefiles import Casefiles, File
from services.routing.core.admitting import refusal_of
from services.routing.core.fanout import newly_offered, stepped
from services.routing.core.life import Life, Step, life_of
from services.routing.law import Law
from services.routing.words import Words
from services.runtime.bus import Bus
from services.runtime.clock import Clock
from services.runtime.turns import Turns

ATTEMPTS = 8
"""How often a step is tried again because another one came first."""


class Impossible(Exception):
    """A step that cannot be said now; `reason` names the cause and the cure, `matters` is the current state."""

    def __init__(self, reason: str, matters: tuple[Matter, ...] = (), number: int = 0) -> None:
        self.reason, self.matters, self.number = reason, matters, number
        super().__init__(reason)


class Crowded(Impossible):
    """Too many others changed the case at this very moment; the same step may be said again."""


class Casebook:
    """Every way to read or to go on with a case; the stream is the truth, and its guard the lock."""

    def __init__(self, bus: Bus, law: Law, clock: Clock, words: Words) -> None:
        self._bus, self._law, self._clock, self._words = bus, law, clock, words
        self._files, self._turns = Casefiles(bus), Turns()

    async def read(self, case_id: UUID) -> File:
        """The case as it stands now. Raises NoSuchCase and BrokerAway."""
        return await self._files.read(case_id)

    async def say(
        self,
        case_id: UUID,
        said: Said,
        by: str,
        office: str | None,
        words: dict[str, str],
        expected: int | None = None,
        also: Sequence[Event] = (),
    ) -> CaseStepped:
        """Add a step, or find the same one said before. `expected` is the number the speaker saw last.

        `also` is stored together with the step. In this process one after another speaks of a case: a limit may pass
        for all persons of it at once.

        Raises Impossible, NoSuchCase and BrokerAway.
        """
        if "nip" in words:
            said = said.model_copy(update={"number_mark": self._words.mark(case_id, words["nip"])})
        async with self._turns.of(case_id):
            for _ in range(ATTEMPTS):
                file = await self.read(case_id)
                before = _said_before(file, said, by, office)
                if before and (same := await self._files.step(case_id, before)):
                    return same
                if expected is not None and expected != len(file.steps):
                    raise Impossible("the case has moved on; look at it again", file.matters, len(file.steps))
                event = self._next(file, said, by, office, words)
                await self._bus.tell_case(event, partial(_following, file.matters, also))
                stored = await self._files.step(case_id, event.data.number)
                if stored and stored.data == event.data:
                    return event
        raise Crowded("others are changing this case at the same moment; look at it again")

    def _next(
        self, file: File, said: Said, by: str, office: str | None, words: dict[str, str]
    ) -> CaseStepped:
        number, at = len(file.steps) + 1, file.dated(self._clock())
        today = at.astimezone(regions.zone_of(file.decided.data.region)).date()
        who = {step.number: step.by for step in file.steps}
        facts = file.accepted.data.facts
        reason = refusal_of(self.life(file), facts, said, by, office, today, who)
        if reason:
            raise Impossible(reason, file.matters, len(file.steps))
        step = Step(number, at, by, office, said)
        sealed = self._words.seal(file.decided.data.case_id, number, words)
        return stepped(file.decided, step, self.life(file, step), sealed)

    def life(self, file: File, more: Step | None = None) -> Life:
        """The case as its steps leave it, with one more if given."""
        steps = [*file.steps, *([more] if more else [])]
        zone = regions.zone_of(file.decided.data.region)
        days: list[date] = [step.at.astimezone(zone).date() for step in steps]
        opened = file.decided.data.decision.handled_on
        return life_of(file.accepted.data.facts, opened, days, steps, self._law.judge)


def _following(before: tuple[Matter, ...], also: Sequence[Event], step: CaseStepped) -> list[Event]:
    return [*newly_offered(step, before), *also]


def _said_before(file: File, said: Said, by: str, office: str | None) -> int | None:
    """The number of the same words by the same body, if nothing was said in between that could make them new."""
    for step in reversed(file.steps):
        if (step.said, step.by, step.office) == (said, by, office):
            return step.number
        between = step.said.event
        if between in (MoveKind.VOID, MoveKind.RETURN, MoveKind.ASSIGN, MoveKind.LINK):
            return None
        if isinstance(said.event, MoveKind) and isinstance(between, ProgressEvent):
            return None
    return None
