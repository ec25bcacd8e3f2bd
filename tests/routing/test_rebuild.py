"""The read model is built anew while reports keep coming: what is wrong is named and mended, and nothing is lost."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing.core.decide import Judge
from services.routing.rebuild import Rebuild
from services.routing.views import Views
from services.runtime.bus import Bus
from services.runtime.database import open_engine
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import Processes, System, in_process, until

pytestmark = pytest.mark.broker
Lines = list[dict[str, Any]]


@pytest.fixture
def fresh_nats(fresh_nats: Broker, database_url: str) -> Broker:
    """Every test here runs on both databases."""
    fresh_nats.cases_url = database_url
    return fresh_nats


@asynccontextmanager
async def database(broker: Broker) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(str(broker.cases_url))
    yield engine
    await engine.dispose()


async def rebuilt(system: System, *, replace: bool = False) -> Lines:
    headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
    answer = await system.routing.post(
        "/v1/operator/rebuild", json={"replace": replace}, headers=headers, timeout=60
    )
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def wrong(lines: Lines) -> dict[str, list[str]]:
    """The keys that differ, by table."""
    return {line["table"]: line["keys"] for line in lines if line["event"] == "compared" and line["keys"]}


async def opened(system: System, count: int, first: int = 0) -> list[str]:
    """The ids of new cases, each with one step, in the read model."""
    found = []
    for number in range(first, first + count):
        report = a_report(person__name=f"Orang {number}")
        ticket = (await system.send(report, f"k{number}")).json()["ticket"]
        found.append(str((await system.story(ticket))["case_id"]))
    for case_id in found:
        step = {"event": "STUDY_CONCLUDED", "result": "BREACH", "on": "2026-11-24"}
        headers = {"Authorization": f"Bearer {system.keys['BAWASLU']}"}
        path = f"/v1/agencies/BAWASLU/cases/{case_id}/progress"
        assert (await system.routing.post(path, json=step, headers=headers)).status_code == 200
    await until(lambda: _stepped(system, found))
    return found


async def _stepped(system: System, case_ids: list[str]) -> bool:
    stories = [(await system.get(f"/v1/operator/cases/{c}", "OPERATOR")).json() for c in case_ids]
    return all(story["step"] == 1 for story in stories)


async def test_rows_changed_by_hand_are_named_and_mended_while_reports_keep_coming(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system, database(fresh_nats) as engine:
        one, two, three = await opened(system, 3)
        async with engine.begin() as by_hand:
            for spoiled in (
                f"UPDATE matters SET state = 'ROUTED', since = '2020-01-01 00:00:00' WHERE case_id = '{one}'",
                f"DELETE FROM inbox WHERE case_id = '{two}'",
                f"UPDATE case_reports SET case_id = '{one}' WHERE case_id = '{three}'",
                "UPDATE tallies SET persons = persons + 7",
                "INSERT INTO links VALUES ('nobody', 'nowhere', 'nowhere')",
            ):
                await by_hand.execute(text(spoiled))

        tickets: set[str] = set()

        async def keep_sending() -> None:
            for number in itertools.count(100):
                answer = await system.send(a_report(person__name=f"Orang {number}"), f"k{number}")
                tickets.add(answer.json()["ticket"])
                await asyncio.sleep(0.05)  # faster than that, a slow machine never catches up

        async def many() -> bool:
            return len(tickets) > 20

        sending = asyncio.create_task(keep_sending())
        looked = await rebuilt(system)
        assert (looked[-1]["equal"], looked[-1]["replaced"]) == (False, False)
        found = wrong(looked)
        assert found["matters"] == [f"{one}/p1: differs in state, since"]
        assert {key.split("/")[3] for key in found["inbox"]} == {two}
        assert [key.split(": ")[1] for key in found["case_reports"]] == ["differs in case_id"]
        assert found["links"] == ["nobody: should not be there"]
        assert "tallies" in found
        assert set(found) == {"matters", "inbox", "case_reports", "links", "tallies"}
        assert wrong(await rebuilt(system, replace=True)).keys() == found.keys()
        assert (await rebuilt(system))[-1]["equal"]
        await until(many)
        sending.cancel()

        async def all_there() -> bool:
            return tickets <= {case["ticket"] for case in await system.inbox("BAWASLU")}

        await until(all_there)
        assert wrong(await rebuilt(system)) == {}


async def test_only_one_rebuild_runs_at_a_time(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system, database(fresh_nats) as engine:
        await opened(system, 1)
        bus = await Bus.connect(fresh_nats.settings, "routing")
        running = Rebuild(bus, Views(engine)).run(replace=False)
        await anext(running)
        assert (await rebuilt(system))[-1]["event"] == "failed"
        assert [line["event"] async for line in running][-1] == "done"
        await bus.close()
        assert (await rebuilt(system))[-1]["equal"]


async def test_an_interrupted_rebuild_leaves_everything_as_it_was(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        (case_id,) = await opened(system, 1)
        bus = await Bus.connect(fresh_nats.settings, "routing")
        async with database(fresh_nats) as engine:
            async with engine.begin() as by_hand:
                await by_hand.execute(text("UPDATE matters SET state = 'ROUTED'"))
            for stop_at in ("reading", "looked", "compared"):
                lines = Rebuild(bus, Views(engine)).run(replace=stop_at != "compared")
                async for line in lines:
                    if line["event"] == stop_at:
                        break
                await lines.aclose()
                (person,) = (await system.get(f"/v1/operator/cases/{case_id}", "OPERATOR")).json()["persons"]
                assert person["state"] == "ROUTED"
        await bus.close()
        assert (await rebuilt(system, replace=True))[-1]["replaced"]
        assert (await rebuilt(system))[-1]["equal"]


async def test_a_wish_that_is_none_is_refused(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
        answer = await system.routing.post("/v1/operator/rebuild", json={"replce": True}, headers=headers)
        assert answer.status_code == 422
        key = {"Authorization": f"Bearer {system.keys['BAWASLU']}"}
        assert (await system.routing.post("/v1/operator/rebuild", json={}, headers=key)).status_code == 404


@pytest.mark.thorough
async def test_kill_9_in_the_middle_leaves_the_old_model_whole(fresh_nats: Broker) -> None:
    system = Processes(fresh_nats, extra={"NETRAL_CASES_URL": str(fresh_nats.cases_url)})
    keys = json.loads(fresh_nats.settings.secret("agency-keys.json"))
    headers = {"Authorization": f"Bearer {keys['OPERATOR']}"}
    try:
        for name in ("intake", "routing"):
            system.start(name)
            await system.ready(name)
        async with httpx.AsyncClient(timeout=30) as http:
            for number in range(20):
                body, key = a_report(person__name=f"Orang {number}"), {"Idempotency-Key": f"k{number}"}
                await http.post(system.url("intake") + "/v1/reports", json=body, headers=key)
            await until(lambda: _waiting(http, system, headers, 20))
            path = system.url("routing") + "/v1/operator/rebuild"
            async with http.stream("POST", path, json={"replace": True}, headers=headers) as told:
                lines = told.aiter_lines()
                for _ in range(3):
                    await anext(lines)
                system.kill("routing")
            system.start("routing")
            await system.ready("routing")
            assert await _waiting(http, system, headers, 20)
            answer = await http.post(path, json={}, headers=headers)
            assert json.loads(answer.text.splitlines()[-1])["equal"]
    finally:
        system.stop()


async def _waiting(http: httpx.AsyncClient, system: Processes, headers: dict[str, str], count: int) -> bool:
    path = system.url("routing") + "/v1/operator/cases"
    answer = await http.get(path, params={"limit": "200"}, headers=headers)
    return len(answer.json()["matters"]) == count
