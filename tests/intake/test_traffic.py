"""People at the door come first; what gives way to them is done all the same."""

import asyncio

from services.intake.traffic import Traffic


async def test_an_empty_door_keeps_nothing_waiting() -> None:
    await asyncio.wait_for(Traffic(patience=3600).gone(), 10)


async def test_other_work_waits_until_the_last_one_has_passed() -> None:
    traffic = Traffic(patience=3600)
    with traffic.passing():
        with traffic.passing():
            waiting = asyncio.create_task(traffic.gone())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 10)


async def test_a_door_that_is_never_empty_does_not_stop_the_other_work() -> None:
    traffic = Traffic(patience=0.01)
    with traffic.passing():
        await asyncio.wait_for(traffic.gone(), 10)
