"""A clock that jumps and a disk that is slow delay what is done; they lose nothing and say nothing twice."""

import asyncio
import json
import sqlite3
from datetime import timedelta

import pytest

from services.runtime.bus import Bus
from services.runtime.reading import page_of
from tests.builders import a_report
from tests.conftest import Broker
from tests.flow.test_kill import subjects
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker
LATER = timedelta(days=60)


def fresh(name: str) -> dict[str, object]:
    """A report whose limits are still ahead by the clock of the tests."""
    return a_report(
        person__name=name,
        reported_on="2026-11-24",
        incident__occurred_on="2026-11-22",
        incident__known_on="2026-11-23",
    )


async def passed(broker: Broker) -> int:
    return sum(
        ".due." in subject and subject.endswith("OVERDUE") for subject in await subjects(broker, "CASES")
    )


async def opened(system: System, name: str) -> None:
    answer = await system.send(fresh(name), name)
    assert answer.status_code == 202, answer.text
    await system.story(answer.json()["ticket"])


async def test_a_clock_that_jumps_to_and_fro_says_each_limit_once(fresh_nats: Broker) -> None:
    clock = Clock()
    async with in_process(fresh_nats, clock=clock, sweep=0.2) as system:
        await opened(system, "first")
        clock.at += LATER
        await until(lambda: _is(fresh_nats, 1))
        clock.at -= LATER
        await opened(system, "second")
        clock.at += LATER
        await until(lambda: _is(fresh_nats, 2))
        clock.at -= 2 * LATER  # the event now lies ahead: no report may tell of tomorrow
        refused = await system.send(fresh("third"), "third")
        assert refused.status_code == 422
        clock.at += 2 * LATER
        assert set((await subjects(fresh_nats, "CASES")).values()) == {1}


async def test_a_clock_that_went_back_dates_nothing_before_what_it_follows(fresh_nats: Broker) -> None:
    clock = Clock()
    async with in_process(fresh_nats, clock=clock, sweep=0.2) as system:
        clock.at += timedelta(hours=1)
        await opened(system, "ahead")
        clock.at -= timedelta(hours=1)
        case_id = next(iter(await subjects(fresh_nats, "CASES"))).split(".")[1]
        said = await system.routing.post(
            f"/v1/agencies/BAWASLU/cases/{case_id}/progress",
            json={"event": "STUDY_CONCLUDED", "result": "BREACH", "on": "2026-11-24"},
            headers={"Authorization": f"Bearer {system.keys['BAWASLU']}"},
        )
        assert said.status_code < 300, said.text
        bus = await Bus.connect(fresh_nats.settings, "operator")
        facts = [json.loads(one.body)["time"] for one in await page_of(bus, "CASES", 1)]
        await bus.close()
        assert facts == sorted(facts)


async def test_a_slow_disk_delays_a_report_and_a_view_and_nothing_more(fresh_nats: Broker) -> None:
    async with in_process(fresh_nats) as system:
        held = [sqlite3.connect(fresh_nats.data_dir / name) for name in ("intake.db", "routing.db")]
        for database in held:
            database.isolation_level = None
            database.execute("BEGIN IMMEDIATE")
        sending = asyncio.create_task(system.send(fresh("slow"), "slow"))
        await asyncio.wait([sending], timeout=0.5)
        assert not sending.done()  # it is not on disk yet, so it is not accepted yet
        held[0].execute("COMMIT")
        answer = await sending
        assert answer.status_code == 202
        await until(lambda: _decided(fresh_nats))  # a decision waits for no database
        held[1].execute("COMMIT")
        for database in held:
            database.close()
        assert (await system.story(answer.json()["ticket"]))["decision"]


async def _is(broker: Broker, wanted: int) -> bool:
    return await passed(broker) == wanted


async def _decided(broker: Broker) -> bool:
    return any(subject.endswith(".decided") for subject in await subjects(broker, "CASES"))
