"""Pages of a stream: what nobody serves is away, never empty."""

import pytest

from services.runtime.bus import BrokerAway, Bus
from services.runtime.reading import last_of_each, page_of
from tests.conftest import Broker

pytestmark = pytest.mark.broker


async def test_an_empty_stream_is_an_empty_page(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "operator")
    assert await page_of(bus, "CASES", 1) == []
    assert [one async for one in last_of_each(bus, "CASES", ["cases.>"])] == []
    await bus.close()


async def test_a_stream_that_nobody_serves_is_no_empty_stream(nats: Broker) -> None:
    bus = await Bus.connect(nats.settings, "operator")
    with pytest.raises(BrokerAway, match=r"ELSEWHERE; if it has its own data, run `netral provision`"):
        await page_of(bus, "ELSEWHERE", 1)
    with pytest.raises(BrokerAway, match="ELSEWHERE"):
        [one async for one in last_of_each(bus, "ELSEWHERE", ["cases.>"])]
    await bus.close()
