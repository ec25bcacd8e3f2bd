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
from services.runtime.reading import surely


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
        await self._refuse_a_name_used_before(bus, book)
        return await self.put(bus, self._event(book, files))

    async def _refuse_a_name_used_before(self, bus: Bus, book: Rulebook) -> None:
        """A decision names its rulebook by the version, so a version never means another text than before."""
        for number in range(1, self.next_number):
            stored = await surely(bus, f"rulebooks.{number}")
            known = self._read(stored).data.rulebook if stored else None
            named = known is not None and (known.id, known.version) == (book.id, book.version)
            if known and named and known.digest != book.digest:
                says = f"version {book.version} was loaded before with another text; raise it"
                raise BrokenRulebook([RuleFault(COVER, says)])

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
