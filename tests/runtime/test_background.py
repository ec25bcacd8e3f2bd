"""A service whose work dies unseen would answer that it is well; this one ends, and says why."""

import asyncio

import pytest

from services.runtime.background import Background
from services.runtime.bus import BrokerAway
from services.runtime.settings import BadSettings


@pytest.fixture
def ended():
    return asyncio.Event()


@pytest.fixture
async def background(ended):
    made = Background(end=ended.set)
    yield made
    await made.stop()


async def fail(trouble: Exception) -> None:
    raise trouble


async def grouped(trouble: Exception) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail(trouble))
        await asyncio.Event().wait()


@pytest.mark.parametrize("work", [fail, grouped])
async def test_a_part_that_fails_ends_the_service_and_says_where(background, ended, lines, work):
    background.begin(work(KeyError("canary@example.com")))
    await ended.wait()
    [line] = [line for line in lines() if line["event"] == "service.cannot_go_on"]
    assert (line["level"], line["error"]) == ("ERROR", "KeyError")
    assert "canary" not in str(line)


@pytest.mark.parametrize(
    "trouble", [BadSettings("case.key: is missing"), BrokerAway(ambiguous=False, stream="CASES")]
)
async def test_an_error_made_for_people_is_told_in_its_own_words(background, ended, lines, trouble):
    background.begin(fail(trouble))
    await ended.wait()
    assert lines()[-1]["reason"] == str(trouble)


async def test_what_returns_or_is_stopped_ends_nothing(background, ended):
    background.begin(asyncio.sleep(0), asyncio.sleep(3600))
    await asyncio.sleep(0.01)
    await background.stop()
    assert not ended.is_set()


async def test_a_swallowed_cancellation_is_repeated(background):
    async def stubborn():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)

    background.begin(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(background.stop(), 10)
