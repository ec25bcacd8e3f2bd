"""Ends tasks for certain."""

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN = 1.0
"""Seconds after which a task that did not end is cancelled again."""


async def ended(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel until all have ended; what they raise is left to them.

    Once is not enough: asyncio.wait_for of Python 3.11 swallows a cancellation that comes together with the answer
    (python/cpython#86296), and a task that works in a loop would go on, with whoever waits for its end.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=AGAIN)
