"""Lets the requests about one report id take turns, so that none undoes what another builds on."""

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
    """One turn at a time for each report id, in this process; between processes the vault's claims decide."""

    def __init__(self) -> None:
        self._lines: dict[UUID, _Line] = {}

    @asynccontextmanager
    async def of(self, report_id: UUID) -> AsyncIterator[None]:
        """Wait until nobody else is at work on this report."""
        line = self._lines.setdefault(report_id, _Line())
        line.length += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[report_id]
