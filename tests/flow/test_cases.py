"""Every real case goes through the running system on its own day and reaches exactly the agencies it should."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from tests.builders import read_case
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.running import in_process, until

pytestmark = pytest.mark.broker
CASES = sorted((Path(__file__).parents[1] / "cases").glob("TC*.json"))


async def test_the_22_cases_reach_the_inboxes_they_should(fresh_nats: Broker) -> None:
    async with in_process(fresh_nats, judge=packaged_judge()) as system:
        for path in CASES:
            case = read_case(path)
            day = datetime.combine(datetime.fromisoformat(case["handled_on"]).date(), time(3), UTC)
            system.clock.at = day
            answer = await system.send(case["report"], path.stem)
            assert answer.status_code == 202, (path.stem, answer.text)
            story = await system.story(answer.json()["ticket"])
            assert story["decision"]["handled_on"] == case["handled_on"], path.stem

            async def told(story: dict = story, case: dict = case) -> bool:  # type: ignore[type-arg]
                return await told_to(system, story["case_id"]) == case["offered_at_opening"]

            await until(told)


async def told_to(system, case_id: str) -> dict[str, list[str]]:  # type: ignore[no-untyped-def]
    """Who finds which person of a case in the inbox."""
    found: dict[str, list[str]] = {}
    for agency in system.keys:
        if agency == "OPERATOR":
            continue
        answer = await system.get(f"/v1/agencies/{agency}/cases/{case_id}", agency)
        for person in answer.json().get("persons", ()):
            found.setdefault(person["ref"], []).append(agency)
    return {ref: sorted(agencies) for ref, agencies in found.items()}
