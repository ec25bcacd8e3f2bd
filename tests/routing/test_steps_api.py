"""Agencies go on with a case over HTTP: each step has one number, one owner follows, and the impossible is refused."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from services.routing.app import build_app
from services.routing.core.decide import Judge
from services.routing.openapi import api_document
from services.routing.settings import RoutingSettings
from services.runtime.bus import Bus
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker


@pytest.fixture
def fresh_nats(fresh_nats: Broker, database_url: str) -> Broker:
    """Every test here runs on both databases."""
    fresh_nats.cases_url = database_url
    return fresh_nats


async def opened(system: System, key: str = "k1", **changed: Any) -> str:
    ticket = (await system.send(a_report(**changed), key)).json()["ticket"]
    return str((await system.story(ticket))["case_id"])


async def say(
    system: System, case_id: str, agency: str, *, to: str = "progress", tag: int | None = None, **body: Any
) -> httpx.Response:
    """`tag` goes into If-Match."""
    root = "/v1/operator" if agency == "OPERATOR" else f"/v1/agencies/{agency}"
    headers = {
        "Authorization": f"Bearer {system.keys[agency]}",
        **({"If-Match": f'"{tag}"'} if tag is not None else {}),
    }
    today = system.clock().date().isoformat()
    content = {"event": body.pop("event"), "on": today, **body} if to == "progress" else body
    return await system.routing.post(f"{root}/cases/{case_id}/{to}", json=content, headers=headers)


async def move(system: System, case_id: str, agency: str, body: dict[str, Any]) -> httpx.Response:
    """A move with a receiver or an article."""
    root = "/v1/operator" if agency == "OPERATOR" else f"/v1/agencies/{agency}"
    headers = {"Authorization": f"Bearer {system.keys[agency]}"}
    return await system.routing.post(f"{root}/cases/{case_id}/moves", json=body, headers=headers)


async def seen(system: System, case_id: str, step: int) -> dict[str, Any]:
    """The story once the read model has a step."""

    async def there() -> dict[str, Any] | None:
        story = (await system.get(f"/v1/operator/cases/{case_id}", "OPERATOR")).json()
        return dict(story) if story["step"] >= step else None

    return dict(await until(there))


async def test_a_case_is_played_to_its_end_and_every_step_tells_the_owner(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        owners = []
        for agency, event, result in (
            ("BAWASLU", "STUDY_CONCLUDED", "BREACH"),
            ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"),
            ("PPK", "PPK_CONCLUDED", "SANCTIONED"),
        ):
            answer = await say(system, case_id, agency, event=event, result=result)
            assert answer.status_code == 200, answer.text
            (person,) = answer.json()["persons"]
            owners.append((person["state"], person["owner"] and person["owner"]["agency"]))
            await seen(system, case_id, answer.json()["step"])
        assert owners == [("BREACH", "BKN"), ("RECOMMENDED", "PPK"), ("SANCTIONED", None)]
        story = await seen(system, case_id, 3)
        assert story["state"] == "CLOSED"
        assert [entry["who"] for entry in story["timeline"] if entry["what"].startswith("step")] == [
            "BAWASLU",
            "BKN",
            "PPK",
        ]


async def test_an_agency_gets_the_case_in_its_inbox_when_its_turn_comes(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        assert await system.inbox("PPK") == []
        refused = await say(system, case_id, "PPK", event="PPK_CONCLUDED", result="SANCTIONED")
        assert refused.status_code == 404
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        await seen(system, case_id, 1)
        assert [c["case_id"] for c in await system.inbox("BKN", role="ACTION")] == [case_id]
        await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
        await seen(system, case_id, 2)
        (case,) = await system.inbox("PPK")
        assert case["persons"][0]["state"] == "RECOMMENDED"
        assert case["persons"][0]["dues"][0]["agency"] == "PPK"


async def test_an_impossible_or_stale_step_is_refused_with_reason_and_state(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        no = await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
        assert no.status_code == 409
        assert "is in state ROUTED" in no.json()["detail"]
        assert no.json()["persons"][0]["owner"]["agency"] == "BAWASLU"
        assert (
            await say(system, case_id, "BAWASLU", tag=0, event="STUDY_CONCLUDED", result="BREACH")
        ).status_code == 200
        await seen(system, case_id, 1)
        stale = await say(system, case_id, "BKN", tag=0, event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
        assert (stale.status_code, stale.json()["step"]) == (409, 1)
        wrong = await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDD")
        assert wrong.status_code == 422
        assert "SUPERVISOR_CONCLUDED" in wrong.json()["faults"][0]
        assert "CONCLUDD" not in wrong.text, "what was written is not sent back"


async def test_the_same_step_sent_again_or_by_many_at_once_is_one_step(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        case_id = await opened(one)
        told = [
            say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
            for system in (one, other) * 4
        ]
        answers = await asyncio.gather(*told)
        assert {(answer.status_code, answer.json().get("step")) for answer in answers} == {(200, 1)}


async def test_words_and_numbers_are_in_the_story_and_nowhere_in_the_log(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        await say(
            system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH", reason="Kenari bernyanyi"
        )
        story = await seen(system, case_id, 1)
        assert "Kenari bernyanyi" in str(story["timeline"])
        bus = await Bus.connect(fresh_nats.settings, "routing")
        stored = await bus.read(f"cases.{case_id}.step.1") or b""
        await bus.close()
        assert b"BREACH" in stored
        assert b"Kenari" not in stored


async def test_a_transfer_waits_for_the_receiver_and_every_hop_is_in_the_story(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        incomplete = await say(system, case_id, "BAWASLU", to="moves", move="TRANSFER")
        assert incomplete.status_code == 422
        assert incomplete.json()["faults"] == [
            "to: is missing for TRANSFER; name the agency that is competent"
        ]
        headers = {"Authorization": f"Bearer {system.keys['BAWASLU']}"}
        body = {"move": "TRANSFER", "to": "POLRI", "reason": "bukan wewenang"}
        moved = await system.routing.post(
            f"/v1/agencies/BAWASLU/cases/{case_id}/moves", json=body, headers=headers
        )
        assert moved.json()["persons"][0]["owner"]["agency"] == "BAWASLU"
        await seen(system, case_id, 1)
        assert [case["case_id"] for case in await system.inbox("POLRI")] == [case_id]
        accepted = await say(system, case_id, "POLRI", to="moves", move="ACCEPT")
        assert accepted.json()["persons"][0]["owner"]["agency"] == "POLRI"
        assert "bukan wewenang" in str((await seen(system, case_id, 2))["timeline"])


async def test_a_ppk_who_lets_the_limit_pass_is_silent_once_and_bkn_must_act(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        case_id = await opened(system)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        await seen(system, case_id, 1)
        await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
        story = await seen(system, case_id, 2)
        over = datetime.fromisoformat(story["persons"][0]["dues"][0]["over_at"])
        clock.at = over.astimezone(UTC)
        story = await seen(system, case_id, 3)
        (person,) = story["persons"]
        assert (person["state"], person["owner"]["agency"]) == ("OVERDUE", "BKN")
        said = [entry for entry in story["timeline"] if "SILENT" in entry["what"]]
        assert [entry["who"] for entry in said] == ["NETRAL"]
        waiting = (await system.get("/v1/operator/cases", "OPERATOR", owner="BKN")).json()["matters"]
        assert [matter["case_id"] for matter in waiting] == [case_id]


async def test_no_open_person_is_without_an_owner_and_the_counts_agree(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        cases = [await opened(system, f"k{n}", person__name=f"Orang {n}") for n in range(6)]
        for case_id in cases[:5]:
            await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
            await seen(system, case_id, 1)
        assert (await system.get("/v1/operator/cases", "OPERATOR", orphans="true")).json()["matters"] == []
        stats = (await system.get("/v1/operator/stats", "OPERATOR", by="owner,state")).json()
        assert stats["counts"] == [
            {"owner": "BAWASLU", "state": "ROUTED", "persons": "<5", "cases": "<5"},
            {"owner": "BKN", "state": "BREACH", "persons": "hidden", "cases": "hidden"},
        ]
        assert {row["owner"] for row in stats["ageing"]} == {"BAWASLU", "BKN"}
        assert [(row["owner"], row["state"], row["persons"]) for row in stats["stages"]] == [
            ("BAWASLU", "ROUTED", "<5"),
            ("BKN", "BREACH", "hidden"),
        ]


async def test_the_document_names_every_door(fresh_nats: Broker, judge: Judge) -> None:
    settings = RoutingSettings(data_dir=fresh_nats.data_dir, nats_url=fresh_nats.settings.nats_url)
    doors = {
        (method, route.path)
        for route in build_app(settings, judge=judge).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    told = {(method.upper(), path) for path, methods in api_document()["paths"].items() for method in methods}
    assert doors == told


async def test_one_case_that_cannot_be_read_does_not_silence_the_limits_of_others(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock(datetime(2024, 10, 26, 3, tzinfo=UTC))
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        bus = await Bus.connect(fresh_nats.settings, "operator")
        bad = await opened(system, "k0", person__name="Orang 0")
        await bus.js.publish(f"cases.{bad}.step.1", b"{}")
        good = await opened(system, "k1", person__name="Orang 1")
        clock.at = datetime(2024, 11, 1, 3, tzinfo=UTC)  # Bawaslu's seven days from 23 October are over
        await until(lambda: _due(bus, good))
        assert not await _due(bus, bad)
        await bus.close()


async def _due(bus: Bus, case_id: str) -> bool:
    return await bus.last("CASES", f"cases.{case_id}.due.>") is not None


async def test_who_had_to_act_still_reads_the_case_and_can_take_its_step_back(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="NO_BREACH")
        await seen(system, case_id, 1)
        assert [case["case_id"] for case in await system.inbox("BAWASLU", role="INFORMATION")] == [case_id]
        again = await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="NO_BREACH")
        assert (again.status_code, again.json()["step"]) == (200, 1)
        back = await say(system, case_id, "BAWASLU", to="moves", move="VOID", step=1)
        assert back.json()["persons"][0]["owner"]["agency"] == "BAWASLU"
