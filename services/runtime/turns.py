"""Lets those who work on one report or case take turns, so that none undoes what another builds on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID


@dataclass
class _Line:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Turns:
    """One turn at a time for each id, in this process; between processes claims and guards decide."""

    def __init__(self) -> None:
        self._lines: dict[UUID, _Line] = {}

    @asynccontextmanager
    async def of(self, one: UUID) -> AsyncIterator[None]:
        """Wait until nobody else is at work on this one."""
        line = self._lines.setdefault(one, _Line())
        line.length += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[one]
