"""A person's answer about a pair of cases, and links that lead on: one is linked to the other, or both stay as they are."""

import asyncio
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from contracts import regions
from contracts.events import event_id
from contracts.matches import Answer, MatchAnswered, MatchAnsweredData
from contracts.steps import NETRAL, OPERATOR, MoveKind, Said
from services.routing.casebook import ATTEMPTS, Casebook, Crowded, Impossible
from services.routing.casefiles import File, NoSuchCase
from services.routing.core.fanout import SOURCE
from services.routing.core.lifecycle import STATES
from services.routing.match_queries import MatchQueries, Row
from services.routing.words import Words
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log
from services.runtime.reading import surely

SECONDS = 2.0
"""Between two looks for links that lead astray."""


class Answered(NamedTuple):
    """What an answer led to: which case was linked to which by which step; nothing for DIFFERENT."""

    answer: Answer
    linked: UUID | None = None
    to: UUID | None = None
    step: int | None = None


class Linking:
    """Repeating an answer changes nothing: the link stands first, then the answer is on record."""

    def __init__(
        self, bus: Bus, casebook: Casebook, queries: MatchQueries, clock: Clock, words: Words
    ) -> None:
        self._bus, self._casebook, self._queries = bus, casebook, queries
        self._clock, self._words = clock, words

    async def answer(self, match: Row, answer: Answer, reason: str) -> Answered:
        """Raises Impossible, NoSuchCase and BrokerAway.

        What was looked at counts only if nobody answered since: else both would be told that theirs holds.
        """
        one, other = sorted((UUID(match["case_id"]), UUID(match["other_case"])))
        match_id = UUID(match["match_id"])
        for _ in range(ATTEMPTS):
            number, last = await self._last(match_id, one)
            done = await (self._same if answer is Answer.SAME else self._different)(one, other, reason)
            data = MatchAnsweredData(
                match_id=match_id,
                case_id=one,
                other=other,
                number=number + 1,
                answer=answer,
                sealed=self._words.seal(match_id, number + 1, {"reason": reason}),
            )
            if (last is answer and not done.linked) or await self._recorded(data):
                return done
        raise Crowded("others are answering at the same moment; look at it again")

    async def watch(self) -> None:
        """Lead links on again and again, until cancelled."""
        while True:
            try:
                await self.lead_on()
            except (BrokerAway, SQLAlchemyError) as trouble:
                log("links.waiting", level="WARNING", error=type(trouble).__name__)
            await asyncio.sleep(SECONDS)

    async def lead_on(self) -> int:
        """Say each link again that must lead elsewhere now; how many. Raises BrokerAway and SQLAlchemyError."""
        astray = await self._queries.astray()
        for row in astray:
            case_id = UUID(row["case_id"])
            try:
                said = self._said(await self._casebook.read(case_id), UUID(row["root"]))
                await self._casebook.say(case_id, said, NETRAL, None, {})
            except (Impossible, NoSuchCase) as moved_on:
                log("links.moved_on", case=str(case_id), reason=str(moved_on)[:100])
        return len(astray)

    async def _same(self, one: UUID, other: UUID, reason: str) -> Answered:
        first, second = await self._casebook.read(one), await self._casebook.read(other)
        root, other_root = await self._root(first), await self._root(second)
        if _id(root) == _id(other_root):
            return Answered(Answer.SAME, to=_id(root))
        less, more = sorted((root, other_root), key=_weight)
        direct, beside = (first, second) if less is root else (second, first)
        if why := _refusal(less, more, direct, beside):
            raise Impossible(why, less.matters, len(less.steps))
        said = self._said(less, _id(more))
        step = await self._casebook.say(_id(less), said, OPERATOR, None, {"reason": reason})
        return Answered(Answer.SAME, _id(less), _id(more), step.data.number)

    async def _different(self, one: UUID, other: UUID, _reason: str) -> Answered:
        root = await self._root(await self._casebook.read(one))
        if _id(root) == _id(await self._root(await self._casebook.read(other))):
            cure = "take the step LINK back first (VOID), then both go on as before"
            raise Impossible(f"the cases are linked; {cure}", root.matters, len(root.steps))
        return Answered(Answer.DIFFERENT)

    async def _root(self, file: File) -> File:
        """The case that goes on for this one; links go to the older or larger case only, so this ends."""
        while file.last and (link := file.last.data.link):
            file = await self._casebook.read(link.to)
        return file

    def _said(self, file: File, to: UUID) -> Said:
        return Said(event=MoveKind.LINK, case=to, on=self._today(file))

    def _today(self, file: File) -> date:
        return self._clock().astimezone(regions.zone_of(file.decided.data.region)).date()

    async def _last(self, match_id: UUID, one: UUID) -> tuple[int, Answer | None]:
        """The number of the last answer on record, and what it says. Raises BrokerAway."""
        number, last = 0, None
        while raw := await surely(self._bus, _subject(match_id, one, number + 1)):
            number, last = number + 1, MatchAnswered.model_validate_json(raw).data.answer
        return number, last

    async def _recorded(self, data: MatchAnsweredData) -> bool:
        """Put an answer on record; False if another one has its number. Raises BrokerAway."""
        event = MatchAnswered(
            id=event_id(data.match_id, "answered", str(data.number)),
            source=SOURCE,
            subject=str(data.case_id),
            time=self._clock(),
            data=data,
        )
        await self._bus.tell([event])
        stored = await surely(self._bus, _subject(data.match_id, data.case_id, data.number))
        return bool(stored and MatchAnswered.model_validate_json(stored).data == data)


def _subject(match_id: UUID, one: UUID, number: int) -> str:
    return f"cases.{one}.match.{match_id}.{number}"


def _id(file: File) -> UUID:
    return file.decided.data.case_id


def _persons(file: File) -> int:
    return len(file.accepted.data.facts.persons)


def _weight(file: File) -> tuple[int, float, str]:
    """Of two cases the one with fewer persons is linked, of equal ones the younger: so links never go round."""
    return _persons(file), -file.decided.time.timestamp(), str(_id(file))


def _refusal(less: File, more: File, direct: File, beside: File) -> str | None:
    """Why `less` cannot be linked to `more`; `direct` and `beside` are the cases that were compared."""
    for file, what in ((more, "would go on"), (less, "would be linked")):
        if all(matter.owner is None for matter in file.matters):
            states = ", ".join(sorted({f"{m.state} ({STATES[m.state].id})" for m in file.matters}))
            return f"the case of {file.decided.data.ticket}, which {what}, is closed: {states}"
    if _persons(less) > min(_persons(direct), _persons(beside)):
        return (
            f"the case of {less.decided.data.ticket} names persons that the other does not; nobody would act for them. "
            "Answer DIFFERENT, or link the cases in another order"
        )
    return None
