"""Group commit for anything that is cheaper written together: callers wait, one task writes what waits."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Grouped(Generic[T]):
    """Hands items to `write` in groups of at most `most`; a failure reaches every caller of its group."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[None]], most: int = 200) -> None:
        self._write = write
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._running: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> None:
        """Return once the item is written. Raises what `write` raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                await self._write([item for item, _ in group])
            except Exception as problem:
                for _, done in group:
                    if not done.done():
                        done.set_exception(problem)
            else:
                for _, done in group:
                    if not done.done():
                        done.set_result(None)
