"""Waits for a fact, not for a while."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    """Return once the fact holds; the timeout of the suite ends a wait in vain."""
    while not await fact():  # noqa: ASYNC110 - what is waited for lies in another process
        await asyncio.sleep(0.005)
