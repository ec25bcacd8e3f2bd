"""Hand-overs, pauses and side exits over HTTP: each is answered, decided again, and told in the story with its words."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from services.routing.core.decide import Judge
from tests.builders import read_case
from tests.conftest import Broker
from tests.routing.core.test_lives import FOLDER, LIVES
from tests.routing.test_steps_api import move, opened, say, seen
from tests.running import Clock, System, in_process

pytestmark = pytest.mark.broker


def stands(document: dict[str, Any], ref: str = "p1") -> tuple[str, str | None]:
    person = next(person for person in document["persons"] if person["ref"] == ref)
    return person["state"], person["owner"] and person["owner"]["agency"]


async def recommended(system: System, key: str = "k1") -> str:
    case_id = await opened(system, key, person__name=key)
    for number, (agency, event, result) in enumerate(
        (("BAWASLU", "STUDY_CONCLUDED", "BREACH"), ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED")), 1
    ):
        await say(system, case_id, agency, event=event, result=result)
        await seen(system, case_id, number)
    return case_id


async def test_three_real_cases_are_played_over_the_broker_to_their_signed_ends(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        for life in (life for life in LIVES if life["case"] in ("TC14", "TC24", "TC41")):
            clock.at = at(life["opened_on"])
            report = read_case(FOLDER / f"{life['case']}.json")["report"]
            ticket = (await system.send(report, life["case"])).json()["ticket"]
            case_id = str((await system.story(ticket))["case_id"])
            for number, step in enumerate(life["steps"], 1):
                clock.at = at(step["on"])
                answer = await played(system, case_id, step)
                assert answer.status_code == 200, (life["case"], step, answer.text)
                story = await seen(system, case_id, number)
                for person in story["persons"]:
                    state, owner = stands(story, person["ref"])
                    then = step["then"].get(person["ref"], step["then"]["all"])
                    assert f"{state} {owner or 'closed'}" == then, (life["case"], step, person["ref"])
            hops = [entry for entry in story["timeline"] if entry["what"].startswith("step ")]
            assert len(hops) == len(life["steps"])


def at(day: date) -> datetime:
    return datetime.combine(day, time(3), UTC)


async def played(system: System, case_id: str, step: dict[str, Any]) -> Any:
    event, _, result = step["say"].partition(":")
    about = {"person": step["person"]} if "person" in step else {}
    if result:
        return await say(system, case_id, step["by"], event=event, result=result, **about)
    to = {name: step[given] for name, given in (("to", "to"), ("office", "to_office")) if given in step}
    return await move(system, case_id, step["by"], {"move": event, **about, **to})


async def test_a_refusal_names_article_and_competent_body_in_the_story(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        lacking = await move(system, case_id, "BAWASLU", {"move": "REFUSE"})
        assert [fault.split(":")[0] for fault in lacking.json()["faults"]] == ["to", "article"]
        refusal = {
            "move": "REFUSE",
            "to": "POLRI",
            "article": "UU 7/2017 art. 455",
            "reason": "anggota Polri",
        }
        assert stands((await move(system, case_id, "BAWASLU", refusal)).json()) == ("REFUSED", "OPERATOR")
        story = await seen(system, case_id, 1)
        (hop,) = [entry for entry in story["timeline"] if "REFUSE" in entry["what"]]
        assert "to POLRI" in hop["what"]
        assert hop["who"] == "BAWASLU"
        assert "UU 7/2017 art. 455" in hop["why"]
        assert "anggota Polri" in hop["why"]
        assigned = await move(
            system, case_id, "OPERATOR", {"move": "ASSIGN", "to": "POLRI", "office": "prov:52"}
        )
        assert stands(assigned.json()) == ("ROUTED", "POLRI")


async def test_a_transfer_in_a_circle_is_refused_and_the_refused_transfer_lies_with_the_operator(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        await move(system, case_id, "BAWASLU", {"move": "TRANSFER", "to": "POLRI", "reason": "bukan ASN"})
        await seen(system, case_id, 1)
        assert stands((await move(system, case_id, "POLRI", {"move": "ACCEPT"})).json())[1] == "POLRI"
        await seen(system, case_id, 2)
        back = await move(system, case_id, "POLRI", {"move": "TRANSFER", "to": "BAWASLU"})
        assert back.status_code == 409
        assert "passed p1 on already" in back.json()["detail"]
        await move(system, case_id, "POLRI", {"move": "TRANSFER", "to": "KPU"})
        await seen(system, case_id, 3)
        no = {"move": "REFUSE", "to": "BAWASLU", "article": "UU 7/2017 art. 93"}
        assert stands((await move(system, case_id, "KPU", no)).json()) == ("REFUSED", "OPERATOR")
        story = await seen(system, case_id, 4)
        assert [e["who"] for e in story["timeline"] if e["what"].startswith("step ")] == [
            "BAWASLU",
            "POLRI",
            "POLRI",
            "KPU",
        ]


async def test_a_return_stops_the_limit_and_giving_it_back_leaves_the_rest_of_the_days(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock(datetime(2026, 9, 1, 3, tzinfo=UTC))
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        case_id = await recommended(system)
        before = (await seen(system, case_id, 2))["persons"][0]["dues"][0]
        clock.at += timedelta(days=2)
        back = await move(system, case_id, "PPK", {"move": "RETURN", "to": "BKN", "reason": "berkas kurang"})
        assert (stands(back.json()), back.json()["persons"][0]["dues"]) == (("RETURNED", "BKN"), [])
        await seen(system, case_id, 3)
        clock.at += timedelta(days=28)  # far beyond the limit: nobody is silent meanwhile
        given = (await move(system, case_id, "BKN", {"move": "DONE"})).json()
        assert stands(given) == ("RECOMMENDED", "PPK")
        (due,) = given["persons"][0]["dues"]
        # From Tuesday 1 September one working day was used up before Thursday; thirteen are left after 1 October.
        assert (before["last_day"], due["last_day"]) == ("2026-09-21", "2026-10-20")
        assert "berkas kurang" in str((await seen(system, case_id, 4))["timeline"])


async def test_who_gets_a_file_back_reads_why_and_nobody_else_does(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await recommended(system)
        await move(system, case_id, "PPK", {"move": "RETURN", "to": "BKN", "reason": "berkas kurang"})
        await seen(system, case_id, 3)
        bodies = ("BKN", "PPK", "BAWASLU", "KEMENDAGRI")
        found = {
            body: (await system.get(f"/v1/agencies/{body}/cases/{case_id}", body)).json()["said"]
            for body in bodies
        }
        assert [(one["number"], one["event"], one["reason"]) for one in found["BKN"]] == [
            (1, "STUDY_CONCLUDED", None),
            (2, "SUPERVISOR_CONCLUDED", None),
            (3, "RETURN", "berkas kurang"),
        ]
        assert [one["number"] for one in found["PPK"]] == [2, 3]
        assert [one["number"] for one in found["BAWASLU"]] == [1]
        assert found["KEMENDAGRI"] == []


async def test_side_exits_end_or_mark_a_case_with_their_reason(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        withdrawn, died, moved = [await recommended(system, f"k{n}") for n in range(3)]
        gone = await say(system, withdrawn, "BAWASLU", event="WITHDRAWN", reason="dicabut pelapor")
        assert stands(gone.json()) == ("WITHDRAWN", None)
        assert "dicabut pelapor" in str((await seen(system, withdrawn, 3))["timeline"])
        left = (await say(system, died, "PPK", event="LEFT_SERVICE", reason="meninggal dunia")).json()
        assert stands(left) == ("RECOMMENDED", "PPK")
        assert "LEFT" in {mark["code"] for mark in left["persons"][0]["marks"]}
        await seen(system, died, 3)
        assert stands((await move(system, died, "PPK", {"move": "DONE"})).json()) == ("LEFT", None)
        other = (await say(system, moved, "BKN", event="TRANSFERRED", reason="mutasi")).json()
        assert (stands(other)[1], "MOVED" in str(other["persons"][0]["marks"])) == ("PPK", True)


async def test_two_officers_must_name_the_same_person_and_its_number(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system, person__status="UNKNOWN", person__nip=None, person__employer=None)
        known = {
            "event": "IDENTIFIED",
            "person": "p1",
            "status": "PNS",
            "employer": {"kind": "KABUPATEN", "region": "kemendagri:52.04", "name": "Dinas Kenari"},
        }
        await say(system, case_id, "BAWASLU", nip="198609262015051001", **known)
        await seen(system, case_id, 1)
        other = await say(system, case_id, "OPERATOR", nip="198609262015051002", **known)
        marks = {mark["code"] for mark in other.json()["persons"][0]["marks"]}
        assert ("DISPUTED" in marks, len(other.json()["persons"][0]["questions"])) == (True, 1)
        await seen(system, case_id, 2)
        await move(system, case_id, "OPERATOR", {"move": "VOID", "step": 2})
        same = await say(system, case_id, "OPERATOR", nip="198609262015051001", **known)
        assert "IDENTIFIED" in {mark["code"] for mark in same.json()["persons"][0]["marks"]}
        story = await seen(system, case_id, 4)
        assert "Dinas Kenari" in str(story["timeline"])
        assert "198609262015051002" in str(story["timeline"]), "the operator sees who named whom"
