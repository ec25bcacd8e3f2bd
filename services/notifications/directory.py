"""Follows the directory of offices that the stream AGENCIES tells: a new duty address is used for the next mail."""

import asyncio

from pydantic import ValidationError

from contracts.directory import Directory
from contracts.events import OfficeChanged
from services.runtime.bus import BrokerAway, Bus
from services.runtime.logs import log
from services.runtime.reading import Stored, page_of

STREAM = "AGENCIES"
OFFICES = "agencies.*.*.*"
"""The subjects of offices alone: what is told of keys is none of this service's business."""
FOLLOW_SECONDS = 2.0
"""How soon a change is followed."""


class DirectoryReader:
    """Keeps `directory` as the stream tells it. It is empty until everything stored has been read once."""

    def __init__(self) -> None:
        self.directory = Directory()
        self.opened = asyncio.Event()
        self._next = 1
        self._unreadable: int | None = None

    async def open(self, bus: Bus) -> None:
        """Read what is stored, however long the broker is away; then `opened` is set."""
        while True:
            try:
                await self.catch_up(bus)
            except BrokerAway:
                log("directory.awaited", level="WARNING")
                await asyncio.sleep(1)
            else:
                self.opened.set()
                return

    async def follow(self, bus: Bus) -> None:
        """Follow the changes, until cancelled."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self.catch_up(bus)
            except BrokerAway:
                continue

    async def catch_up(self, bus: Bus) -> None:
        """Read what was stored since, and take it all at once: no mail goes by half a list. Raises BrokerAway."""
        found: list[Stored] = []
        start = self._next
        while page := await page_of(bus, STREAM, start, subjects=OFFICES):
            found += page
            start = page[-1].seq + 1
        for stored in found:
            self._hear(stored)
        self._next = start

    @property
    def trouble(self) -> str | None:
        """One sentence about a directory that mails cannot rely on, or None."""
        if self._unreadable:
            return (
                f"message {self._unreadable} of {STREAM} cannot be read by this version of the software: mails go by "
                "what the directory said before"
            )
        if not self.directory.entries:
            return "the directory of offices is empty, so mails to offices wait: load it with `netral agencies load`"
        return None

    def _hear(self, stored: Stored) -> None:
        try:
            data = OfficeChanged.model_validate_json(stored.body).data
        except ValidationError:
            log("directory.cannot_read", level="ERROR", seq=stored.seq)
            self._unreadable = stored.seq
            return
        self.directory.hear(data.place, data.version, data.terms)
