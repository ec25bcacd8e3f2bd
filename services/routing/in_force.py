"""What is in force by the last event of a stream: the rulebook, the calendars; every worker and restart takes the same.

A change is one event on a numbered subject that must be empty; workers follow by swapping one reference, so each decision is
made wholly under one text.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from pydantic import ValidationError

from contracts.events import CalendarLoaded, RulebookLoaded
from services.routing.yaml_nodes import BrokenRulebook, RuleFault
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log
from services.runtime.reading import of_leader

FOLLOW_SECONDS = 2.0
"""How soon a worker follows a change that another one made."""
CURE = "start the version of Netral that loaded it, and load one there that this version reads"

E = TypeVar("E", RulebookLoaded, CalendarLoaded)


class Overtaken(Exception):
    """Another text was loaded at the same moment; look at it before loading again."""


class InForce(ABC, Generic[E]):
    """Follows one stream; `current` is its last event that was taken. `name` stands in log lines and reasons."""

    event: type[E]
    stream: str
    subjects: str
    name: str

    def __init__(self, clock: Clock) -> None:
        self.current: E | None = None
        self.unreadable: str | None = None
        """Why what is in force is not what this worker decides by; None while it is."""
        self._clock = clock
        self._following = asyncio.Lock()

    @abstractmethod
    def digest_of(self, event: E) -> str:
        """The digest of the text in an event."""

    @abstractmethod
    def digest_held(self) -> str:
        """The digest of the text this worker decides by."""

    @abstractmethod
    async def take(self, event: E) -> None:
        """Decide by the text of an event from here on. Raises BrokenRulebook."""

    @abstractmethod
    def packaged(self) -> E:
        """The event that makes the packaged text the first in force."""

    async def open(self, bus: Bus) -> None:
        """Take what was last loaded, or make the packaged text the first. Raises BrokenRulebook and BrokerAway."""
        packaged = self.digest_held()
        await self.catch_up(bus)
        if self.current is None:
            await self._put(bus, self.packaged())
        elif self.digest_of(self.current) != packaged:
            log(f"{self.name}.package_differs", level="WARNING", packaged=packaged)

    async def put(self, bus: Bus, event: E) -> E:
        """Bring an event into force. Raises Overtaken if another one was first, BrokenRulebook and BrokerAway."""
        await self._put(bus, event)
        if self.current != event:
            raise Overtaken
        log(f"{self.name}.loaded", number=event.data.number, digest=self.digest_of(event))
        return event

    async def follow(self, bus: Bus) -> None:
        """Follow the changes other workers make, until cancelled. What cannot be followed makes the worker not ready."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self.catch_up(bus)
            except BrokerAway:
                continue
            except BrokenRulebook as broken:
                if self.unreadable is None:
                    log(f"{self.name}.cannot_follow", level="ERROR", reason=str(broken)[:300])
                self.unreadable = f"the {self.name} in force cannot be read by this version of the software"

    async def catch_up(self, bus: Bus) -> None:
        """Take the last event of the stream, if it is a newer one. Raises BrokenRulebook and BrokerAway."""
        await self._hear(await bus.last(self.stream, self.subjects))

    async def _put(self, bus: Bus, event: E) -> None:
        """The copy of the stream that answers others may not hold it yet."""
        await bus.tell([event])
        await self._hear(await of_leader(bus, self.subjects))

    async def _hear(self, stored: bytes | None) -> None:
        async with self._following:
            event = self._read(stored) if stored else None
            if event is None or (self.current and event.data.number <= self.current.data.number):
                return
            if self.digest_of(event) != self.digest_held():
                await self.take(event)
            self.current, self.unreadable = event, None

    @property
    def next_number(self) -> int:
        return self.current.data.number + 1 if self.current else 1

    def _read(self, stored: bytes) -> E:
        try:
            return self.event.model_validate_json(stored)
        except ValidationError:
            raise BrokenRulebook(
                [RuleFault(self.stream, f"its last message is no {self.name}; {CURE}")]
            ) from None
