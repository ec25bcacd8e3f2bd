"""A task told to end has ended afterwards, also when it swallows the first word."""

import asyncio

from services.runtime.ending import ended


async def stubborn(deaf: int) -> None:
    """Works in a loop, and does not hear the first cancellations."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            deaf -= 1
            if deaf < 0:
                raise


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    tasks = [asyncio.create_task(stubborn(deaf)) for deaf in (0, 1)]
    await asyncio.sleep(0)
    await ended(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_what_has_ended_is_left_alone_with_what_it_raised() -> None:
    async def broken() -> None:
        raise ValueError

    tasks = [asyncio.create_task(broken())]
    await asyncio.wait(tasks)
    await ended(tasks)
    assert isinstance(tasks[0].exception(), ValueError)
    await ended([])
