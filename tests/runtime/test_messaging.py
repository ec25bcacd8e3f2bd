"""FastStream's readers as we use them outlast what its own do not, and our reasons to mend it still hold."""

import asyncio
import inspect

import faststream.nats.subscriber.usecases.stream_pull_subscriber as pulling
import pytest

from services.runtime.bus import Bus
from tests.conftest import Broker
from tests.running import until
from tests.runtime.test_connecting import at_work, reading, tell
from tests.standing import standing_still


@pytest.mark.broker
async def test_a_reader_to_whom_nothing_came_for_a_while_hears_what_comes_then(fresh_nats: Broker) -> None:
    async with at_work(fresh_nats) as (_bus, heard):
        for name in ("one", "two"):
            await asyncio.sleep(2.5)  # two requests of a second each have ended with nothing
            await tell(fresh_nats, name)
            assert await asyncio.wait_for(heard.get(), 5) == name.encode()
        assert heard.empty()


@pytest.mark.broker
async def test_while_the_broker_is_away_nothing_is_asked_that_would_pile_up_until_there_is_no_room(
    fresh_nats: Broker,
) -> None:
    """Two megabytes of requests, after half an hour, ended the reader, and FastStream began it anew without a pause."""
    async with reading(fresh_nats) as (reader, heard):
        connection = reader._connection

        async def away() -> bool:
            return not connection.is_connected

        fresh_nats.kill()
        await until(away)
        await asyncio.sleep(2.5)  # requests of a second each are over
        held = connection.pending_data_size
        await asyncio.sleep(2.5)
        assert connection.pending_data_size == held
        fresh_nats.server.start()
        await tell(fresh_nats, "one")
        assert await asyncio.wait_for(heard.get(), 20) == b"one"


@pytest.mark.broker
async def test_a_reader_that_is_told_to_stop_ends_while_the_broker_stands_still(fresh_nats: Broker) -> None:
    """FastStream's own waits ten seconds for an answer, and then ten more."""
    async with reading(fresh_nats) as (reader, _heard):
        with standing_still(fresh_nats.server.process):
            await asyncio.wait_for(reader.stop(), 15)


@pytest.mark.broker
async def test_what_was_handled_when_a_reader_is_told_to_stop_is_acknowledged(fresh_nats: Broker) -> None:
    async with reading(fresh_nats) as (reader, heard):
        for name in map(str, range(20)):
            await tell(fresh_nats, name)
        await heard.get()
        await reader.stop()
    bus = await Bus.connect(fresh_nats.settings, "operator")

    async def acknowledged() -> bool:
        info = await bus.js.consumer_info("REPORTS", "routing")
        return bool(info.ack_floor.stream_seq == 1 + heard.qsize())

    await until(acknowledged, 10)
    await bus.close()


def test_faststream_still_expects_the_timeout_that_nats_py_raises_no_more() -> None:
    assert "from nats.errors import ConnectionClosedError, TimeoutError" in inspect.getsource(pulling)
