"""What `make soak` calls growth, and that a short one runs."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.soak import SAMPLES, Look, Soak, crept
from tests.conftest import Broker
from tests.running import Processes


def looks(memory: float = 0, files: float = 0, slower: float = 0) -> list[Look]:
    """A run of a service that needs so much more of each at every sample."""
    return [
        Look({"intake": 100 + memory * n}, {"intake": int(50 + files * n)}, 5 + slower * n, 9)
        for n in range(SAMPLES)
    ]


def test_what_stays_flat_is_no_growth() -> None:
    assert crept(looks()) == []


@pytest.mark.parametrize("grows", [{"memory": 1}, {"files": 0.5}, {"slower": 0.5}])
def test_what_grows_evenly_is_named(grows: dict[str, float]) -> None:
    [sentence] = crept(looks(**grows))
    assert "grew from" in sentence


def test_what_is_reached_once_and_kept_is_no_growth() -> None:
    filled = looks(memory=10)[:15] + looks(memory=0)[:45]
    assert crept(filled) == []


@pytest.mark.parametrize(("name", "grown"), [("broker", []), ("intake", ["memory of intake grew"])])
def test_only_the_broker_may_need_memory_for_what_is_stored(name: str, grown: list[str]) -> None:
    """A MiB for each 2,000 messages."""
    seen = [Look({name: 100.0 + n}, {name: 50}, 5, 9, 2000 * n) for n in range(SAMPLES)]
    assert [sentence[: len("memory of intake grew")] for sentence in crept(seen)] == grown


def test_a_broker_that_needs_more_than_that_is_named() -> None:
    seen = [Look({"broker": 100.0 + 4 * n}, {"broker": 50}, 5, 9, 2000 * n) for n in range(SAMPLES)]
    [sentence] = crept(seen)
    assert "memory of broker grew" in sentence


@pytest.mark.broker
async def test_a_soak_sends_evenly_and_looks_at_every_process(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    await asyncio.to_thread(broker.start)
    system = Processes(broker)
    system.start("intake")
    try:
        await system.ready("intake")
        run = Soak(system, rate=20)
        await run.over(2)
    finally:
        system.stop()
        broker.stop()
    assert len(run.tickets) > 20
    assert run.looks[-1].messages >= len(run.tickets)
    assert set(run.looks[-1].memory) == {"intake", "broker"}
    assert all(count > 3 for count in run.looks[-1].files.values())
