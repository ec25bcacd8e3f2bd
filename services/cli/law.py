"""The rulebooks and calendars that were ever in force in the running system, from the streams that hold their text."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from contracts.events import CalendarLoaded, RulebookLoaded
from services.routing.calendar_law import calendars_of
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.rulebook_files import read_rulebook
from services.routing.yaml_nodes import BrokenRulebook, RuleFault


@dataclass(frozen=True)
class Judges:
    """Who judged before: rulebooks and calendars by their digests; the packaged ones are there even if never loaded."""

    packaged: Judge
    rulebooks: dict[str, Reasoner]
    calendars: dict[str, Judge]

    def of(self, rulebook: str, calendar: str) -> Judge | None:
        """The judge of a decision, by the digests it names; None for an unknown rulebook.

        Calendars from before they were events are taken to be the packaged ones.
        """
        reasoner = self.rulebooks.get(rulebook)
        return replace(self.calendars.get(calendar, self.packaged), reasoner=reasoner) if reasoner else None


async def judges(js: JetStreamContext, packaged: Judge, broken: list[str] | None = None) -> Judges:
    """All that were ever in force.

    Raises BrokenRulebook or ValueError if this version of the software cannot read an older text, or reads another than
    was loaded; unless there is a list for what is `broken`.
    """
    rulebooks = {packaged.reasoner.book.digest: packaged.reasoner}
    async for place, stored in _messages(js, "RULEBOOKS"):
        with _read(place, broken):
            data = RulebookLoaded.model_validate_json(stored).data
            if data.rulebook.digest not in rulebooks:
                book = read_rulebook({name: text.encode() for name, text in data.files.items()})
                _same(place, book.digest, data.rulebook.digest)
                rulebooks[data.rulebook.digest] = Reasoner(book)
    calendars = {packaged.calendar.digest: packaged}
    async for place, stored in _messages(js, "CALENDARS"):
        with _read(place, broken):
            event = CalendarLoaded.model_validate_json(stored)
            ref = event.data.calendar
            if ref.digest not in calendars:
                elections, workdays = calendars_of(event)
                calendars[ref.digest] = replace(
                    packaged, calendars=elections, workdays=workdays, calendar=ref
                )
    return Judges(packaged, rulebooks, calendars)


@contextmanager
def _read(place: str, broken: list[str] | None) -> Iterator[None]:
    try:
        yield
    except (BrokenRulebook, ValueError):
        if broken is None:
            raise
        broken.append(place)


def _same(place: str, found: str, named: str) -> None:
    if found != named:
        raise BrokenRulebook([RuleFault(place, "its text is not the one that was loaded")])


async def _messages(js: JetStreamContext, stream: str) -> AsyncIterator[tuple[str, bytes]]:
    """What a stream holds, each with its place; nothing where it is not there yet."""
    try:
        last = (await js.stream_info(stream)).state.last_seq
    except NotFoundError:
        return
    for seq in range(1, last + 1):
        try:
            yield f"{stream} {seq}", (await js.get_msg(stream, seq)).data or b""
        except NotFoundError:
            continue
