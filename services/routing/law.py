"""The law in force: the rulebook last loaded, which reads without a fault and whose every guarantee is proved."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from contracts.decision import RulebookRef
from contracts.events import RulebookLoaded, RulebookLoadedData
from contracts.ids import NETRAL, derived_id
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.core.rules import Rulebook
from services.routing.in_force import CURE, InForce
from services.routing.rulebook_files import COVER, HERE, files_of, read_rulebook
from services.routing.rules.proving import prove
from services.routing.yaml_nodes import BrokenRulebook, RuleFault
from services.runtime.bus import Bus
from services.runtime.clock import Clock


class Law(InForce[RulebookLoaded]):
    """Holds the judge of the rulebook in force; `judge` is replaced whole."""

    event, stream, subjects, name = RulebookLoaded, "RULEBOOKS", "rulebooks.*", "rulebook"

    def __init__(self, judge: Judge, clock: Clock) -> None:
        super().__init__(clock)
        self.judge = judge

    def digest_of(self, event: RulebookLoaded) -> str:
        return event.data.rulebook.digest

    def digest_held(self) -> str:
        return self.judge.reasoner.book.digest

    async def take(self, event: RulebookLoaded) -> None:
        book = await asyncio.to_thread(_read, event)
        self.judge = replace(self.judge, reasoner=Reasoner(book))

    def packaged(self) -> RulebookLoaded:
        return self._event(self.judge.reasoner.book, files_of(HERE))

    async def load(self, bus: Bus, files: Mapping[str, bytes]) -> RulebookLoaded:
        """Make a rulebook the law, or say that it is already. Raises BrokenRulebook, Overtaken and BrokerAway."""
        book = await asyncio.to_thread(_proved, files)
        await self.catch_up(bus)
        if self.current and self.digest_of(self.current) == book.digest:
            return self.current
        self._check_version(book)
        return await self.put(bus, self._event(book, files))

    def _check_version(self, book: Rulebook) -> None:
        """A version names one text: people cite it. Raises BrokenRulebook where it is that of another one."""
        data = self.current.data if self.current else None
        for known in (data.rulebook, data.previous) if data else ():
            if known and (known.id, known.version) == (book.id, book.version) and known.digest != book.digest:
                fault = f"version {book.version} is that of another text, which was loaded before; give this one its own"
                raise BrokenRulebook([RuleFault(COVER, fault)])

    def _event(self, book: Rulebook, files: Mapping[str, bytes]) -> RulebookLoaded:
        number = self.next_number
        return RulebookLoaded(
            id=derived_id(NETRAL, "rulebook", str(number), book.digest),
            source="netral/routing",
            subject=book.id,
            time=self._clock(),
            data=RulebookLoadedData(
                number=number,
                rulebook=RulebookRef(id=book.id, version=book.version, digest=book.digest),
                previous=self.current.data.rulebook if self.current else None,
                files={name: raw.decode() for name, raw in files.items()},
            ),
        )


def _read(event: RulebookLoaded) -> Rulebook:
    """The rulebook of an event, the very one that was loaded. Raises BrokenRulebook."""
    data = event.data
    book = read_rulebook({name: text.encode() for name, text in data.files.items()})
    if book.digest != data.rulebook.digest:
        raise BrokenRulebook([RuleFault(f"rulebooks.{data.number}", f"reads differently here; {CURE}")])
    return book


def _proved(files: Mapping[str, bytes]) -> Rulebook:
    """The rulebook of these files if every guarantee holds. Raises BrokenRulebook with what does not."""
    book = read_rulebook(files)
    if failures := prove(book):
        raise BrokenRulebook(RuleFault(book.id, str(failure)) for failure in failures)
    return book
