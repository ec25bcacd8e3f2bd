"""Who is at the door: work that nobody waits for gives way to people who do."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PATIENCE = 2.0
"""Seconds; a door that is never empty must not keep the other work from being done at all."""


class Traffic:
    """Counts the reports that are being taken in by this process."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._here = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """While somebody waits for an answer."""
        self._here += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._here -= 1
            if not self._here:
                self._empty.set()

    async def gone(self) -> None:
        """Wait until nobody is there, at most for the patience."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._empty.wait()
