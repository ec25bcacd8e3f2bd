"""A short random walk through the running system with kill -9 on the way; the long one is `python -m tests.chaos.walk`."""

import pytest

from tests.chaos.walk import Walk
from tests.conftest import Broker

pytestmark = [pytest.mark.broker, pytest.mark.thorough, pytest.mark.timeout(300)]


async def test_after_a_walk_with_deaths_the_independent_checker_finds_nothing(fresh_nats: Broker) -> None:
    walk = Walk(fresh_nats, seed=11)
    try:
        await walk.walk(steps=110, kills=4)
        assert await walk.findings() == []
    finally:
        walk.system.stop()
    assert walk.told["progress 200"] + walk.told["moves 200"] > 20
    assert "Traceback" not in walk.system.logs()
