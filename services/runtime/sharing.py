"""Who asks for the same thing at the same moment shares one answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shared(Generic[K, V]):
    """Asks `work` once for all who wait for the answer about one key; an answer is kept for nobody who comes later.

    One report of 200 persons has a record of two megabytes, and a thousand messages that make us read it.
    """

    def __init__(self, work: Callable[[K], Awaitable[V]]) -> None:
        self._work = work
        self._asked: dict[K, asyncio.Future[V]] = {}

    async def __call__(self, key: K) -> V:
        """Raises what `work` raises; one who stops waiting stops it for nobody else."""
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(self._work(key))
            self._asked[key].add_done_callback(partial(self._answered, key))
        return await asyncio.shield(self._asked[key])

    def _answered(self, key: K, answer: asyncio.Future[V]) -> None:
        del self._asked[key]
        if not answer.cancelled():
            answer.exception()  # of one for whom nobody waits any more asyncio would complain
