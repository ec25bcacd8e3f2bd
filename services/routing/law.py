"""The law in force: the rulebook last loaded, as an event that every worker and every restart reads the same.

A rulebook becomes law only if it is read without a fault and every guarantee is proved. The change is one event in the
stream RULEBOOKS; workers follow it by swapping one reference, so each decision is made wholly under one rulebook.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from contracts.decision import RulebookRef
from contracts.events import RulebookLoaded, RulebookLoadedData
from contracts.ids import NETRAL, derived_id
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.core.rules import Rulebook
from services.routing.rulebook_files import HERE, files_of, read_rulebook
from services.routing.rules.proving import prove
from services.routing.yaml_nodes import BrokenRulebook, RuleFault
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log

FOLLOW_SECONDS = 2.0
"""How soon a worker follows a change that another one made."""

_CURE = "start the version of Netral that loaded it, and load one there that this version reads"


class Overtaken(Exception):
    """Another rulebook was loaded at the same moment; look at it before loading again."""


class Law:
    """Holds the judge of the rulebook in force; `judge` is replaced whole."""

    def __init__(self, judge: Judge, clock: Clock) -> None:
        self.judge = judge
        self.current: RulebookLoaded | None = None
        self.unreadable: str | None = None
        """Why the rulebook in force is not the one this worker decides by; None while it is."""
        self._clock = clock
        self._following = asyncio.Lock()

    async def open(self, bus: Bus) -> None:
        """Take the rulebook last loaded, or make the packaged one the first. Raises BrokenRulebook, BrokerAway."""
        packaged = self.judge.reasoner.book
        await self._follow(bus)
        if self.current is None:
            await bus.tell([self._event(packaged, files_of(HERE))])
            await self._follow(bus)
        elif self.current.data.rulebook.digest != packaged.digest:
            log("rulebook.package_differs", level="WARNING", packaged=packaged.version)

    async def load(self, bus: Bus, files: Mapping[str, bytes]) -> RulebookLoaded:
        """Make a rulebook the law, or say that it is already. Raises BrokenRulebook, Overtaken and BrokerAway."""
        book = await asyncio.to_thread(_proved, files)
        await self._follow(bus)
        if self.current and self.current.data.rulebook.digest == book.digest:
            return self.current
        event = self._event(book, files)
        await bus.tell([event])
        await self._follow(bus)
        if self.current != event:
            raise Overtaken
        log("rulebook.loaded", number=event.data.number, version=book.version)
        return event

    async def follow(self, bus: Bus) -> None:
        """Follow the changes other workers make, until cancelled. What cannot be followed makes the worker not ready."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self._follow(bus)
            except BrokerAway:
                continue
            except BrokenRulebook as broken:
                if self.unreadable is None:
                    log("rulebook.cannot_follow", level="ERROR", reason=str(broken)[:300])
                self.unreadable = "the rulebook in force cannot be read by this version of the software"

    async def _follow(self, bus: Bus) -> None:
        async with self._following:
            stored = await bus.last("RULEBOOKS", "rulebooks.*")
            event = _event_in(stored) if stored else None
            if event is None or (self.current and event.data.number <= self.current.data.number):
                return
            if event.data.rulebook.digest != self.judge.reasoner.book.digest:
                book = await asyncio.to_thread(_read, event)
                self.judge = replace(self.judge, reasoner=Reasoner(book))
            self.current, self.unreadable = event, None

    def _event(self, book: Rulebook, files: Mapping[str, bytes]) -> RulebookLoaded:
        before = self.current.data if self.current else None
        number = before.number + 1 if before else 1
        return RulebookLoaded(
            id=derived_id(NETRAL, "rulebook", str(number), book.digest),
            source="netral/routing",
            subject=book.id,
            time=self._clock(),
            data=RulebookLoadedData(
                number=number,
                rulebook=RulebookRef(id=book.id, version=book.version, digest=book.digest),
                previous=before.rulebook if before else None,
                files={name: raw.decode() for name, raw in files.items()},
            ),
        )


def _event_in(stored: bytes) -> RulebookLoaded:
    try:
        return RulebookLoaded.model_validate_json(stored)
    except ValidationError:
        raise BrokenRulebook([RuleFault("RULEBOOKS", f"its last message is no rulebook; {_CURE}")]) from None


def _read(event: RulebookLoaded) -> Rulebook:
    """The rulebook of an event, the very one that was loaded. Raises BrokenRulebook."""
    data = event.data
    book = read_rulebook({name: text.encode() for name, text in data.files.items()})
    if book.digest != data.rulebook.digest:
        raise BrokenRulebook([RuleFault(f"rulebooks.{data.number}", f"reads differently here; {_CURE}")])
    return book


def _proved(files: Mapping[str, bytes]) -> Rulebook:
    """The rulebook of these files if every guarantee holds. Raises BrokenRulebook with what does not."""
    book = read_rulebook(files)
    if failures := prove(book):
        raise BrokenRulebook(RuleFault(book.id, str(failure)) for failure in failures)
    return book
