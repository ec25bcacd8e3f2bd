"""KASN ends and BKN takes over: open cases are decided again by one dated act, tried first, repeatable, closed ones stay."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.routing.core.decide import Judge
from services.routing.rulebook_files import HERE, files_of
from services.runtime.bus import Bus
from services.runtime.clock import now
from tests.cli.verify.planting import sentences
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker

JULY = {
    "reported_on": "2024-07-30",
    "incident__occurred_on": "2024-07-28",
    "incident__known_on": "2024-07-29",
}
ACT = {"from": "KASN", "to": "BKN", "on": "2024-09-04", "rule": "se-menpanrb-4-2024"}


async def succeed(system: System, **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
    return await system.routing.post("/v1/operator/succession", json={**ACT, **body}, headers=headers)


async def played(system: System, number: int, *steps: tuple[str, str, str]) -> str:
    case_id = await opened(system, f"k{number}", person__name=f"Orang {number}", **JULY)
    for count, (agency, event, result) in enumerate(steps, 1):
        answer = await say(system, case_id, agency, event=event, result=result)
        assert answer.status_code == 200, answer.text
        await seen(system, case_id, count)
    return case_id


BREACH = ("BAWASLU", "STUDY_CONCLUDED", "BREACH")
RECOMMENDED = ("KASN", "SUPERVISOR_CONCLUDED", "RECOMMENDED")
NOT_PROVEN = ("KASN", "SUPERVISOR_CONCLUDED", "NOT_PROVEN")


async def test_open_cases_of_kasn_move_to_bkn_and_files_it_had_processed_stay_with_the_ppk(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock(datetime(2024, 8, 20, 3, tzinfo=UTC))
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        received = await played(system, 1, BREACH)
        processed = await played(system, 2, BREACH, RECOMMENDED)
        studied = await played(system, 3)
        closed = await played(system, 4, BREACH, NOT_PROVEN)
        assert [case["outcome"] for case in (await succeed(system, on="2024-08-20")).json()["cases"]] == [
            "stays"
        ] * 3, "before the law changed nothing moves"

        clock.at = datetime(2024, 9, 5, 3, tzinfo=UTC)
        trial = (await succeed(system)).json()
        assert {case["case_id"] for case in trial["cases"]} == {received, processed, studied}
        assert {case["outcome"] for case in trial["cases"]} == {"moves"}
        assert trial["before"] == [
            {"owner": "BAWASLU", "state": "ROUTED", "persons": 1},
            {"owner": "KASN", "state": "BREACH", "persons": 1},
            {"owner": "PPK", "state": "RECOMMENDED", "persons": 1},
        ]
        assert [(row["owner"], row["state"]) for row in trial["after"]] == [
            ("BAWASLU", "ROUTED"),
            ("BKN", "BREACH"),
            ("PPK", "RECOMMENDED"),
        ]
        assert (await seen(system, received, 1))["step"] == 1, "a trial says nothing"

        done = (await succeed(system, apply=True, article="SE MenPANRB 4/2024")).json()
        assert {case["outcome"] for case in done["cases"]} == {"moved"}
        story = await seen(system, received, 2)
        (person,) = story["persons"]
        assert (person["owner"]["agency"], person["state"]) == ("BKN", "BREACH")
        (part,) = [p for p in person["assignments"] if p["active"] and p["role"] == "ACTION"]
        assert "SE MenPANRB 4/2024" in part["basis"]
        said = [entry for entry in story["timeline"] if "SUCCEED" in entry["what"]]
        assert "se-menpanrb-4-2024" in str(said)
        assert [case["case_id"] for case in await system.inbox("BKN", role="ACTION")] == [received]
        menpan = [p for p in (await seen(system, processed, 3))["persons"][0]["assignments"] if p["active"]]
        assert ("KEMENPANRB", "ACTION") in {(p["agency"], p["role"]) for p in menpan}
        assert (await seen(system, closed, 2))["step"] == 2, "closed cases stay"

        async def settled() -> bool:
            return bool((await succeed(system, apply=True)).json()["cases"] == [])

        assert await until(settled), "run again it changes nothing"
        assert (await seen(system, received, 2))["step"] == 2


async def test_an_act_without_a_known_rule_or_in_the_future_is_refused_with_every_fault(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        refused = await succeed(system, to="KASN", on="2030-01-01", rule="se-menpanrb-5-2024")
        assert refused.status_code == 422
        assert [fault.split(":")[0] for fault in refused.json()["faults"]] == ["to", "on", "rule"]
        assert (await succeed(system, rule=None)).status_code == 422
        assert (await succeed(system, cursor="?")).status_code == 400


async def test_a_body_that_follows_bkn_takes_over_once_a_rulebook_says_so(
    fresh_nats: Broker, judge: Judge
) -> None:
    act = {"from": "BKN", "to": "KEMENPANRB", "on": "2026-11-24", "rule": "asn.supervisor"}
    clock = Clock(now())
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        case_id = await opened(system)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        await seen(system, case_id, 1)
        assert [case["outcome"] for case in (await succeed(system, **act)).json()["cases"]] == ["stays"]

        files = {name: raw.decode() for name, raw in files_of(HERE).items()}
        supervision = files["20-supervision.yaml"]
        today = "      - from: 2027-10-16\n        basis: [mk-121-2024]\n        expected: true\n"
        assert today in supervision
        successor = (
            "      - from: 2026-11-01\n        basis: [mk-121-2024]\n        assign: {agency: KEMENPANRB, role: ACTION, "
            'office: CENTRE, when: "STUDY_CONCLUDED:BREACH", until: [SUPERVISOR_CONCLUDED, PPK_CONCLUDED]}\n'
        )
        files["20-supervision.yaml"] = supervision.replace(today, successor + today)
        files["book.yaml"] = files["book.yaml"].replace("version: ", "version: 1.")
        headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
        loaded = await system.routing.put("/v1/operator/rulebook", json={"files": files}, headers=headers)
        assert loaded.status_code == 200, loaded.text

        assert {case["outcome"] for case in (await succeed(system, apply=True, **act)).json()["cases"]} == {
            "moved"
        }
        (person,) = (await seen(system, case_id, 2))["persons"]
        assert person["owner"]["agency"] == "KEMENPANRB"
        again = (await succeed(system, apply=True, **act)).json()["cases"]
        said = {"event": "SUPERVISOR_CONCLUDED", "result": "RECOMMENDED"}
        assert [case["outcome"] for case in again] == ["stays"]
        assert (await seen(system, case_id, 2))["step"] == 2
        answer = await say(system, case_id, "KEMENPANRB", **said)
        assert answer.json()["persons"][0]["owner"]["agency"] == "PPK", "the successor speaks as BKN did"
        bus = await Bus.connect(fresh_nats.settings, "operator")
        assert await sentences(bus, fresh_nats.data_dir, clock(), patience=10) == []
        await bus.close()
