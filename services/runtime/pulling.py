"""Messages of a durable as they come: whoever asks gets all that are there, and never waits for more than one.

JetStream's pull protocol (ADR-13 of NATS) with one running request: nats-py's `fetch` waits for the whole of its batch.
"""

import asyncio
import json

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from services.runtime.connecting import Persistent

EXPIRES = 2.0
"""Seconds a request stands at the broker; one that was lost all the same is made again after a little more."""
PAUSE = 1.0
AT_ONCE = 16_000_000
"""Bytes of one request, twice the largest message: two hundred records of two megabytes would fill our memory, and the
broker cuts off whoever has so much to read."""
_DONE, _FULL = "Batch Completed", "Message Size Exceeds MaxBytes"
_OURS = "$JS.ACK."


class Pull:
    """At most `most` messages are held here unacknowledged. One reader at a time."""

    def __init__(self, nc: Client, stream: str, durable: str, most: int, expires: float = EXPIRES) -> None:
        self._nc, self._most, self._expires = nc, most, expires
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._here: list[Msg] = []
        self._asked = 0
        self._refused = False
        self._came = asyncio.Event()
        self._inbox = nc.new_inbox()
        self._coming: Subscription | None = None
        if isinstance(nc, Persistent):
            nc.when_found(self._lost)

    async def group(self) -> list[Msg]:
        """At least one message, in the order of the stream. What is away is waited for. Raises NATS errors."""
        if self._coming is None:
            self._coming = await self._nc.subscribe(self._inbox, cb=self._come)
        while not self._here:
            self._came.clear()
            await self._ask()
            try:
                async with asyncio.timeout(self._expires + 1):
                    await self._came.wait()
            except TimeoutError:
                self._asked = 0
            if self._refused:
                await asyncio.sleep(PAUSE)
        here, self._here = self._here, []
        return here

    async def release(self) -> None:
        """Give back what was not handed out, also what is on its way, for whoever is quicker now. Raises NATS errors."""
        if self._coming:
            await self._coming.drain()
            self._coming = None
        here, self._here = self._here, []
        for message in here:
            await message.nak()

    async def _ask(self) -> None:
        self._refused = False
        if self._asked <= 0 and self._nc.is_connected:  # what is asked meanwhile would be asked twice then
            self._asked = self._most
            request = {"batch": self._most, "expires": int(self._expires * 1e9), "max_bytes": AT_ONCE}
            await self._nc.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)

    def _lost(self) -> None:
        """What was asked over another connection is asked anew."""
        self._asked = 0
        self._came.set()

    async def _come(self, message: Msg) -> None:
        if message.reply.startswith(_OURS):
            self._here.append(message)
            self._asked -= 1
        else:
            self._ended(message.headers or {})
        self._came.set()

    def _ended(self, said: dict[str, str]) -> None:
        """A request ended: it expired (408), is full, nobody answers for this durable (503), its leader moved (409)."""
        status, why = said.get("Status"), said.get("Description", "")
        if why == _DONE:
            return  # every message of it was counted
        self._asked = 0
        self._refused = status not in ("404", "408") and why != _FULL
