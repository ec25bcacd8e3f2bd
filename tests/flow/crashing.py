"""A connection and an engine that die at their n-th use, as a killed process does.

They are given to our code as the arguments they are; nothing of it is changed. What was in memory is lost with them. To
die after a use took effect is to die before the next one; what a transaction did is nothing before its commit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class Died(BaseException):
    """kill -9: nothing of ours may catch it."""


@dataclass
class Fate:
    """Death comes just before use `at`, from 1."""

    at: int
    uses: int = 0
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def use(self, *_: Any) -> None:
        self.uses += 1
        if self.uses >= self.at:
            self.died.set()
            raise Died


class MortalClient:
    """A NATS client whose publishes and requests are its uses."""

    def __init__(self, nc: Client, fate: Fate) -> None:
        self._nc, self._fate = nc, fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nc, name)

    def jetstream(self, **options: Any) -> JetStreamContext:
        return JetStreamContext(self, **options)  # type: ignore[arg-type]

    async def publish(self, *args: Any, **options: Any) -> None:
        self._fate.use()
        await self._nc.publish(*args, **options)

    async def request(self, *args: Any, **options: Any) -> Any:
        self._fate.use()
        return await self._nc.request(*args, **options)


class MortalEngine:
    """Watches an engine, whose commits are its uses; a dead process holds no connection and no lock."""

    def __init__(self, engine: AsyncEngine, fate: Fate) -> None:
        self.engine, self._raw = engine, list[Any]()
        event.listen(engine.sync_engine, "commit", fate.use)
        event.listen(engine.sync_engine, "connect", lambda raw, _: self._raw.append(raw.driver_connection))

    async def bury(self) -> None:
        """Close what it left open; what was not committed is gone."""
        for raw in self._raw:
            await raw.close()
        await self.engine.dispose()


async def lived(work: Callable[[], Awaitable[Any]], fate: Fate) -> bool:
    """Whether the work came to its end before its fate came."""
    working, dying = asyncio.ensure_future(work()), asyncio.ensure_future(fate.died.wait())
    await asyncio.wait((working, dying), return_when=asyncio.FIRST_COMPLETED)
    alive = not fate.died.is_set()
    for task in (working, dying):
        task.cancel()
    ended = await asyncio.gather(working, dying, return_exceptions=True)
    if alive and isinstance(ended[0], BaseException):
        raise ended[0]
    return alive
