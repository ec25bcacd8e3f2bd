"""Limits that pass by themselves: silent twice, of many persons at once, and a queue of the operator nobody looks after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.events import CaseWaiting
from services.routing.casebook import Casebook
from services.routing.core.decide import Judge
from services.routing.law import Law
from services.routing.limits_watch import Limits
from services.routing.timers import Firing
from services.routing.words import Words
from services.runtime.bus import Bus
from services.runtime.failures import TryLater
from tests.builders import a_report
from tests.conftest import Broker
from tests.routing.test_steps_api import move, opened, say, seen
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker


def over(story: dict[str, Any], agency: str) -> datetime:
    """When the limit of an agency is over, UTC."""
    (due,) = [due for due in story["persons"][0]["dues"] if due["agency"] == agency]
    return datetime.fromisoformat(due["over_at"]).astimezone(UTC)


def stands(story: dict[str, Any]) -> tuple[str, str]:
    person = story["persons"][0]
    return person["state"], person["owner"]["agency"]


async def recommended(system: System) -> str:
    case_id = await opened(system)
    await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
    await seen(system, case_id, 1)
    await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
    await seen(system, case_id, 2)
    return case_id


MANY = 14
"""Persons of one case; more than the tries of one step."""


def of_many() -> dict[str, Any]:
    report = a_report()
    (person,), (act,) = report["persons"], report["acts"]
    del person["nip"]
    refs = [f"o{number}" for number in range(MANY)]
    report["persons"] = [{**person, "ref": ref} for ref in refs]
    report["acts"] = [{**act, "person": ref} for ref in refs]
    return report


@asynccontextmanager
async def workers(broker: Broker, judge: Judge, clock: Clock, number: int) -> AsyncIterator[list[Limits]]:
    """What as many processes say of limits; they share the stream alone."""
    bus, law = await Bus.connect(broker.settings, "routing"), Law(judge, clock)
    words = Words(broker.settings.secret("case.key"))
    yield [Limits(bus, Casebook(bus, law, clock, words), clock) for _ in range(number)]
    await bus.close()


@pytest.mark.parametrize("processes", [1, MANY])
async def test_a_limit_that_passes_for_many_persons_of_one_case_at_once_passes_for_each(
    fresh_nats: Broker, judge: Judge, processes: int
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock, sweep=3600) as system:
        ticket = (await system.send(of_many(), "many")).json()["ticket"]
        case_id = str((await system.story(ticket))["case_id"])
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
        story = await seen(system, case_id, 2)
        fired = [
            Firing(**due, case_id=case_id, person=person["ref"], level="OVERDUE", at=due["over_at"])
            for person in story["persons"]
            for due in person["dues"]
        ]
        clock.at = fired[0].at.astimezone(UTC)
        async with workers(fresh_nats, judge, clock, processes) as limits:
            while fired:
                saying = [limits[n % processes].speak(firing) for n, firing in enumerate(fired)]
                came = await asyncio.gather(*saying, return_exceptions=True)
                assert {type(one) for one in came if isinstance(one, BaseException)} <= {TryLater}
                fired = [one for one, said in zip(fired, came, strict=True) if isinstance(said, TryLater)]
        story = await seen(system, case_id, 2 + MANY)
        owners = [(person["state"], person["owner"]["agency"]) for person in story["persons"]]
        assert owners == MANY * [("OVERDUE", "BKN")]


async def test_a_ppk_that_stays_silent_goes_to_bkn_and_then_to_the_ministry_by_time_alone(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        case_id = await recommended(system)
        clock.at = over(await seen(system, case_id, 2), "PPK")
        first = await seen(system, case_id, 3)
        assert stands(first) == ("OVERDUE", "BKN")
        assert [case["case_id"] for case in await system.inbox("PPK", role="ACTION")] == [case_id]
        clock.at = over(first, "PPK")
        assert stands(await seen(system, case_id, 4)) == ("OVERDUE", "KEMENDAGRI")
        clock.at += timedelta(days=1)
        answer = await say(system, case_id, "PPK", event="PPK_CONCLUDED", result="SANCTIONED")
        assert answer.json()["persons"][0]["owner"] is None


async def test_a_queue_that_nobody_looks_after_raises_its_alarm_once_and_is_listed(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        case_id = await opened(system)
        refusal = {"move": "REFUSE", "to": "KPU", "article": "UU 7/2017 art. 455"}
        await move(system, case_id, "BAWASLU", refusal)
        story = await seen(system, case_id, 1)
        assert stands(story) == ("REFUSED", "OPERATOR")
        assert story["persons"][0]["queue"]["id"] == "lembaga menyatakan bukan wewenangnya"
        clock.at = datetime.fromisoformat(story["persons"][0]["alarm"]["at"]).astimezone(UTC)
        bus = await Bus.connect(fresh_nats.settings, "operator")

        async def alarm() -> CaseWaiting | None:
            stored = await bus.last("CASES", f"cases.{case_id}.waiting.p1.>")
            return CaseWaiting.model_validate_json(stored) if stored else None

        said = await until(alarm)
        assert (said.data.reason, said.data.agency) == ("queue.refused", "OPERATOR")

        async def listed() -> list[str]:
            found = await system.get("/v1/operator/cases", "OPERATOR", over_limit="true", owner="OPERATOR")
            return [matter["case_id"] for matter in found.json()["matters"]]

        assert await until(listed) == [case_id]
        await bus.close()
