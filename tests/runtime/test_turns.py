"""Those who work on one id take turns, others do not wait, and nothing is kept of who is gone."""

import asyncio
from uuid import UUID

import pytest

from services.runtime.turns import Turns

ONE, OTHER = UUID(int=1), UUID(int=2)


async def everybody_moves() -> None:
    """Lets every task go as far as it can without anything from outside."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_at_a_time_works_on_an_id_in_the_order_of_asking_and_others_go_on() -> None:
    turns, gate, said = Turns(), asyncio.Event(), list[str]()

    async def work(one: UUID, name: str) -> None:
        async with turns.of(one):
            said.append(f"{name} begins")
            await gate.wait()
            said.append(f"{name} ends")

    async with asyncio.TaskGroup() as tasks:
        for one, name in ((ONE, "first"), (ONE, "second"), (OTHER, "beside")):
            tasks.create_task(work(one, name))
        await everybody_moves()
        assert said == ["first begins", "beside begins"]
        gate.set()
    assert [words for words in said if "beside" not in words] == [
        "first begins",
        "first ends",
        "second begins",
        "second ends",
    ]


async def test_who_fails_or_is_cancelled_leaves_its_turn_to_the_next() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="mine"):
        async with turns.of(ONE):
            raise ValueError("mine")
    gate = asyncio.Event()

    async def hold() -> None:
        async with turns.of(ONE):
            await gate.wait()

    holding, waiting = asyncio.create_task(hold()), asyncio.create_task(hold())
    await everybody_moves()
    waiting.cancel()
    await asyncio.wait([waiting])
    gate.set()
    await holding
    async with asyncio.timeout(5), turns.of(ONE):
        pass


async def test_nothing_is_kept_of_an_id_that_nobody_works_on() -> None:
    turns = Turns()
    async with turns.of(ONE):
        assert len(turns._lines) == 1
    assert turns._lines == {}
