"""The directory and the keys in force: what the stream AGENCIES tells, the same for every worker and every restart."""

import asyncio
from collections.abc import Callable, Sequence

from pydantic import TypeAdapter, ValidationError

from contracts.directory import Directory, Entries
from contracts.events import AnyEvent, KeyChanged, OfficeChanged
from services.routing.agencies.changing import Change, changes, events_of
from services.routing.agencies.csv_file import packaged
from services.routing.agencies.keyring import KeyRing
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log
from services.runtime.reading import of_leader, page_of

STREAM = "AGENCIES"
FOLLOW_SECONDS = 2.0
"""How soon a worker follows a change that another one made; a revoked key opens nothing after that time."""
CHUNK = 400
"""Offices stored in one atomic write."""
ATTEMPTS = 8
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class Overtaken(Exception):
    """Somebody else changes the same thing at this moment; look at it before trying again."""


class Book:
    """`opened` is set once everything that was ever stored is known; before that no key may be judged."""

    def __init__(self, clock: Clock) -> None:
        self.directory, self.ring = Directory(), KeyRing()
        self.opened = asyncio.Event()
        self.unreadable: str | None = None
        """Why the stream cannot be followed by this version of the software; None while it can."""
        self._clock, self._next = clock, 1
        self._following = asyncio.Lock()

    async def open(self, bus: Bus) -> None:
        """Take what is stored; a first start makes the packaged directory the first. Raises BrokerAway, Overtaken."""
        await self.catch_up(bus)
        if not self.directory.entries:
            await self.load(bus, packaged())
        self.opened.set()

    async def load(self, bus: Bus, wanted: Entries) -> list[Change]:
        """Make these offices as they are given, and say what that changed. Raises BrokerAway and Overtaken."""
        return await self.change(bus, lambda _: wanted)

    async def change(self, bus: Bus, wanted_of: Callable[[Directory], Entries]) -> list[Change]:
        """Make offices what follows from the directory as it stands at that moment, and say what that changed.

        `wanted_of` is asked again where somebody else was first. Raises BrokerAway, Overtaken, and what `wanted_of` raises.
        """
        await self.catch_up(bus)
        first = found = changes(self.directory, wanted_of(self.directory))
        for _ in range(ATTEMPTS):
            if not found:
                return first
            events = events_of(self.directory, found, self._clock())
            for start in range(0, len(events), CHUNK):
                await bus.tell(events[start : start + CHUNK])
            await self._hear_all(bus, events)
            found = changes(self.directory, wanted_of(self.directory))
        raise Overtaken

    async def tell(self, bus: Bus, events: list[KeyChanged]) -> None:
        """Store what happens to keys, and know it at once. Raises BrokerAway and Overtaken."""
        await bus.tell(events)
        await self._hear_all(bus, events)
        if any(self.ring.keys[event.data.key_id] != event.data for event in events):
            raise Overtaken

    async def follow(self, bus: Bus) -> None:
        """Follow the changes other workers make, until cancelled."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self.catch_up(bus)
            except BrokerAway:
                continue

    async def catch_up(self, bus: Bus) -> None:
        """Read what was stored since. Raises BrokerAway."""
        async with self._following:
            while page := await page_of(bus, STREAM, self._next):
                for stored in page:
                    self._hear(stored.seq, stored.body)
                self._next = page[-1].seq + 1

    async def _hear_all(self, bus: Bus, told: Sequence[OfficeChanged | KeyChanged]) -> None:
        """Also what the copy of the stream that answers does not hold yet. Raises BrokerAway."""
        await self.catch_up(bus)
        for event in told:
            if not self._knows(event) and (stored := await of_leader(bus, event.nats_subject)):
                self._hear(self._next, stored)

    def _knows(self, event: OfficeChanged | KeyChanged) -> bool:
        if isinstance(event, OfficeChanged):
            return self.directory.versions.get(event.data.place, 0) >= event.data.version
        key = self.ring.keys.get(event.data.key_id)
        return key is not None and key.version >= event.data.version

    def _hear(self, seq: int, body: bytes) -> None:
        try:
            event = _ANY.validate_json(body)
        except ValidationError:
            log("agencies.cannot_read", level="ERROR", seq=seq)
            self.unreadable = f"message {seq} of {STREAM} cannot be read by this version of the software"
            return
        match event:
            case OfficeChanged():
                self.directory.hear(event.data.place, event.data.version, event.data.terms)
            case KeyChanged():
                self.ring.hear(event.data)
