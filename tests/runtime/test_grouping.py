"""What waits while one group is written becomes the next, and each caller hears of its own group."""

import asyncio
from collections.abc import Sequence

import pytest

from services.runtime.grouping import Grouped


class Written:
    """Keeps what it is given, and refuses a group that holds a zero; each group waits for the gate."""

    def __init__(self, *, opened: bool = True) -> None:
        self.groups, self.gate = list[list[int]](), asyncio.Event()
        if opened:
            self.gate.set()

    async def __call__(self, items: Sequence[int]) -> None:
        self.groups.append(list(items))
        await self.gate.wait()
        if 0 in items:
            raise ValueError("a zero")


async def test_what_comes_while_a_group_is_written_is_written_together_and_never_more_than_the_most() -> None:
    written = Written(opened=False)
    grouped = Grouped(written, most=3)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(grouped.submit(1))
        for _ in range(5):
            await asyncio.sleep(0)
        for item in range(2, 7):
            tasks.create_task(grouped.submit(item))
        for _ in range(5):
            await asyncio.sleep(0)
        assert written.groups == [[1]]
        written.gate.set()
    assert written.groups == [[1], [2, 3, 4], [5, 6]]


async def test_a_failure_reaches_every_caller_of_its_group_and_no_other() -> None:
    grouped = Grouped(Written(), most=2)
    outcomes = await asyncio.gather(*(grouped.submit(item) for item in (1, 0, 2, 3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError, type(None), type(None)]


async def test_it_writes_again_after_a_pause_and_after_a_failure() -> None:
    written = Written()
    grouped = Grouped(written)
    await grouped.submit(1)
    with pytest.raises(ValueError, match="a zero"):
        await grouped.submit(0)
    await grouped.submit(2)
    assert written.groups == [[1], [0], [2]]


@pytest.mark.parametrize("item", [0, 1])
async def test_a_caller_that_was_cancelled_takes_nothing_from_the_others_of_its_group(item: int) -> None:
    written = Written(opened=False)
    grouped = Grouped(written)
    gone, staying = (asyncio.create_task(grouped.submit(one)) for one in (item, 2))
    for _ in range(5):
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    written.gate.set()
    async with asyncio.timeout(5):
        (outcome,) = await asyncio.gather(staying, return_exceptions=True)
    assert isinstance(outcome, ValueError) == (item == 0)
