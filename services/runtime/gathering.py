"""Handles the messages of a durable in groups: one effect, one commit and one span for all that wait.

What follows from a message here is cheap alone and far cheaper together: rows of a read model, events for the agencies.
A group in which something is wrong is handled once more, each message alone: the failure table judges each by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from contracts.topology import CONSUMERS
from services.runtime.bus import BrokerAway
from services.runtime.failures import TryLater, settled
from services.runtime.group_spans import GroupTelemetry
from services.runtime.logs import log
from services.runtime.pulling import PAUSE, Pull
from services.runtime.telemetry import Telemetry

MOST = 200
TO_END = 0.8
"""Seconds; whoever stops a service repeats a cancellation after one."""
AWAY = (TryLater, BrokerAway)
"""The world is not ready: no message is to blame, and trying each would only take longer."""
Handle = Callable[[Sequence[Msg]], Awaitable[None]]


class Gathering:
    """`handle` must be repeatable: what is not acknowledged comes again. Raises StopIteration for an unknown durable."""

    def __init__(
        self, nc: Client, durable: str, handle: Handle, telemetry: Telemetry | None = None, most: int = MOST
    ) -> None:
        consumer = next(consumer for consumer in CONSUMERS if consumer.name == durable)
        self._pull = Pull(nc, consumer.stream, durable, most)
        self._durable, self._handle = durable, handle
        self._told = GroupTelemetry(telemetry, consumer)

    async def follow(self) -> None:
        """Handle and acknowledge, until cancelled; what was not handled then is given back at once."""
        while True:
            try:
                await self._next()
            except (NatsError, OSError, TimeoutError) as trouble:
                log("broker.waiting", level="WARNING", consumer=self._durable, error=type(trouble).__name__)
                await asyncio.sleep(PAUSE)

    async def _next(self) -> None:
        try:
            group = await self._pull.group()
        except asyncio.CancelledError:
            await self._pull.release()
            raise
        working = asyncio.create_task(self._group(group))
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            await self._let_end(working)
            for message in group:
                if not message.is_acked:
                    await message.nak()
            await self._pull.release()
            raise

    async def _let_end(self, working: "asyncio.Task[None]") -> None:
        """A group that was begun may end: to be cut off within a statement costs a database connection."""
        await asyncio.wait([working], timeout=TO_END)
        working.cancel()
        await asyncio.wait([working], timeout=TO_END)

    async def _group(self, group: Sequence[Msg]) -> None:
        with self._told.handling(group) as record:
            try:
                await self._handle(group)
            except Exception as problem:
                record.failed(problem, apart=len(group) > 1 and not isinstance(problem, AWAY))
                if not record.apart:
                    for message in group:
                        await self._settle(message, problem)
            else:
                for message in group:
                    await message.ack()
        if record.apart:
            for message in group:
                await self._group([message])

    async def _settle(self, message: Msg, problem: Exception) -> None:
        pause = await settled(message, problem)
        await (message.ack() if pause is None else message.nak(delay=pause))
