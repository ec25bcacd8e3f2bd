"""Limits that pass by themselves: silent twice, and a queue of the operator that nobody looks after."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.events import CaseWaiting
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
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
