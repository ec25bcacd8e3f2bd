"""FastStream's readers as we use them outlast what its own do not, and our reasons to mend it still hold."""

import asyncio
import inspect

import faststream.nats.subscriber.usecases.stream_pull_subscriber as pulling
import pytest

from tests.conftest import Broker
from tests.runtime.test_connecting import at_work, tell


@pytest.mark.broker
async def test_a_reader_to_whom_nothing_came_for_a_while_hears_what_comes_then(fresh_nats: Broker) -> None:
    async with at_work(fresh_nats) as (_bus, heard):
        for name in ("one", "two"):
            await asyncio.sleep(2.5)  # two requests of a second each have ended with nothing
            await tell(fresh_nats, name)
            assert await asyncio.wait_for(heard.get(), 5) == name.encode()
        assert heard.empty()


def test_faststream_still_expects_the_timeout_that_nats_py_raises_no_more() -> None:
    assert "from nats.errors import ConnectionClosedError, TimeoutError" in inspect.getsource(pulling)
