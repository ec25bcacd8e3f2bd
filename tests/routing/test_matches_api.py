"""Near matches wait for a person; SAME links one case to the other, and taking the link back brings it back."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from tests.builders import a_report
from tests.conftest import Broker
from tests.routing.test_steps_api import say, seen
from tests.running import System, in_process, until

pytestmark = pytest.mark.broker
DOOR = "/v1/operator/matches"


async def told(system: System, name: str, **changed: Any) -> dict[str, Any]:
    """A report of one named person without evidence, a minute after the last: its ticket, receipt and case."""
    system.clock.at += timedelta(minutes=1)
    report = a_report(person__name=name, **changed)
    del report["persons"][0]["nip"], report["evidence"]
    sent = (await system.send(report, "".join(f"{name}{changed}".split()))).json()
    return {**sent, "case_id": (await system.story(sent["ticket"]))["case_id"]}


async def waiting(system: System, count: int) -> list[dict[str, Any]]:
    """The pairs that wait, once they are so many."""

    async def there() -> list[dict[str, Any]] | None:
        answer = (await system.get(DOOR, "OPERATOR")).json()
        return list(answer["matches"]) if answer["waiting"] == len(answer["matches"]) == count else None

    return await _list(there)


async def _list(fact: Any) -> list[dict[str, Any]]:
    async def wrapped() -> tuple[list[dict[str, Any]]] | None:
        found = await fact()
        return None if found is None else (found,)

    return list((await until(wrapped))[0])


async def answer(system: System, match_id: str, said: str, reason: str = "Sama di foto.") -> httpx.Response:
    headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
    return await system.routing.post(
        f"{DOOR}/{match_id}", json={"answer": said, "reason": reason}, headers=headers
    )


async def test_a_near_match_waits_with_its_reasons_and_age_and_tells_no_name(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        first = await told(system, "Kanari Satu")
        second = await told(system, "Drs. Kanari Satoe", incident__occurred_on="2024-10-23")
        await told(system, "Merpati Dua")
        (pair,) = await waiting(system, 1)
        assert pair["tickets"] == [second["ticket"], first["ticket"]]
        assert (pair["duplicate"]["case_id"], pair["goes_on"]["case_id"]) == (
            second["case_id"],
            first["case_id"],
        )
        assert {reason["code"] for reason in pair["reasons"]} == {
            "SAME_NAME",
            "SAME_REGENCY",
            "NEAR_DAY",
            "SAME_ACT",
        }
        assert "kabupaten/kota kejadian sama" in {reason["id"] for reason in pair["reasons"]}
        assert "anari" not in str(pair)
        system.clock.at = system.clock.at.replace(day=25)
        (pair,) = await waiting(system, 1)
        assert pair["waiting_hours"] == 24
        both = (await system.get(f"{DOOR}/{pair['match_id']}", "OPERATOR")).json()
        names = [side["report"]["persons"][0]["name"] for side in both["reports"]]
        assert names == ["Drs. Kanari Satoe", "Kanari Satu"]
        assert "Pelapor" not in str(both)


async def test_same_links_the_younger_case_and_void_brings_it_back_with_its_owner(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        first, second = [await told(system, name) for name in ("Kanari Satu", "Kanari Satoe")]
        (pair,) = await waiting(system, 1)
        done = await answer(system, pair["match_id"], "SAME", "Orang di foto itu satu.")
        assert done.status_code == 200
        assert (done.json()["linked"], done.json()["to"]) == (second["case_id"], first["case_id"])
        again = await answer(system, pair["match_id"], "SAME")
        assert again.status_code == 200
        linked = await seen(system, second["case_id"], 1)
        assert (linked["state"], linked["persons"][0]["state"], linked["persons"][0]["owner"]) == (
            "CLOSED",
            "LINKED",
            None,
        )
        assert linked["persons"][0]["label"]["id"] == "terkait duplikat"
        assert linked["duplicate_of"] == {"case_id": first["case_id"], "ticket": first["ticket"]}
        assert "Orang di foto itu satu." in str(linked["timeline"])
        assert await waiting(system, 0) == []

        through = (await system.get(f"/v1/operator/cases/{second['ticket']}", "OPERATOR")).json()
        assert through["case_id"] == first["case_id"]
        assert through["through"] == {"case_id": second["case_id"], "ticket": second["ticket"]}
        assert {report["ticket"] for report in through["reports"]} == {first["ticket"], second["ticket"]}
        counts = {c["case_id"]: (c["reports"], c["duplicate_of"]) for c in await system.inbox("BAWASLU")}
        assert counts[first["case_id"]] == (2, None)
        assert counts[second["case_id"]][1] == {"case_id": first["case_id"], "ticket": first["ticket"]}
        assert (await system.get("/v1/operator/cases", "OPERATOR", orphans="true")).json()["matters"] == []
        for report in (first, second):
            status = await system.intake.get(
                f"/v1/reports/{report['ticket']}", headers={"Netral-Receipt": report["receipt"]}
            )
            assert status.json()["state"] == "ROUTED"

        refused = await say(system, second["case_id"], "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        assert (refused.status_code, "say it there" in refused.json()["detail"]) == (409, True)
        taken = await say(system, second["case_id"], "OPERATOR", to="moves", move="VOID", step=1)
        assert taken.json()["persons"][0]["owner"]["agency"] == "BAWASLU"
        back = await seen(system, second["case_id"], 2)
        assert (back["state"], back["duplicate_of"]) == ("OPEN", None)
        assert len((await seen(system, first["case_id"], 0))["reports"]) == 1


async def test_different_takes_the_pair_out_of_the_queue_and_the_log_keeps_no_word(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        first, second = [await told(system, name) for name in ("Kanari Satu", "Kanari Satoe")]
        (pair,) = await waiting(system, 1)
        assert (await answer(system, pair["match_id"], "DIFFERENT", "Kakak beradik.")).status_code == 200
        assert await waiting(system, 0) == []
        assert (await answer(system, pair["match_id"], "MAYBE")).status_code == 422
        assert (await answer(system, "no-match", "SAME")).status_code == 404
        bus = await Bus.connect(fresh_nats.settings, "routing")
        one = min(first["case_id"], second["case_id"])
        stored = await bus.read(f"cases.{one}.match.{pair['match_id']}.1") or b""
        await bus.close()
        assert b"DIFFERENT" in stored
        assert b"Kakak" not in stored
        assert (await answer(system, pair["match_id"], "SAME")).status_code == 200
        assert (await answer(system, pair["match_id"], "DIFFERENT")).status_code == 409


async def test_a_pair_with_a_closed_case_is_refused_and_no_longer_asked(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        first, _ = [await told(system, name) for name in ("Kanari Satu", "Kanari Satoe")]
        (pair,) = await waiting(system, 1)
        await say(system, first["case_id"], "BAWASLU", event="STUDY_CONCLUDED", result="NO_BREACH")
        refused = await answer(system, pair["match_id"], "SAME")
        assert refused.status_code == 409
        assert first["ticket"] in refused.json()["detail"]
        assert "tidak terbukti" in refused.json()["detail"]
        assert await waiting(system, 0) == []


async def test_links_have_no_chain_they_lead_on_and_back(fresh_nats: Broker, judge: Judge) -> None:
    """C is linked to B, then B to A: C leads to A. B comes back: C leads to B again."""
    async with in_process(fresh_nats, judge=judge) as system:
        a = await told(system, "Kanari Satu", incident__occurred_on="2024-10-20")
        b = await told(system, "Kanari Satoe", incident__occurred_on="2024-10-23")
        (early,) = await waiting(system, 1)
        c = await told(
            system, "Kanarie Satu", incident__occurred_on="2024-10-25", incident__known_on="2024-10-25"
        )
        pairs = await waiting(system, 2)
        late = next(pair for pair in pairs if pair["match_id"] != early["match_id"])
        assert {late["duplicate"]["case_id"], late["goes_on"]["case_id"]} == {b["case_id"], c["case_id"]}
        await answer(system, late["match_id"], "SAME")
        await answer(system, early["match_id"], "SAME")
        await until(lambda: _leads(system, c, a))
        story = (await system.get(f"/v1/operator/cases/{a['case_id']}", "OPERATOR")).json()
        assert {row["ticket"] for row in story["duplicates"]} == {b["ticket"], c["ticket"]}
        assert len(story["reports"]) == 3
        await say(system, b["case_id"], "OPERATOR", to="moves", move="VOID", step=1)
        await until(lambda: _leads(system, c, b))
        assert await waiting(system, 0) == []


async def _leads(system: System, case: dict[str, Any], to: dict[str, Any]) -> bool:
    story = (await system.get(f"/v1/operator/cases/{case['case_id']}", "OPERATOR")).json()
    return bool(story["duplicate_of"] and story["duplicate_of"]["case_id"] == to["case_id"])


async def test_a_lost_read_model_is_filled_again_with_pairs_answers_and_links(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        first, second = [await told(system, name) for name in ("Kanari Satu", "Kanari Satoe")]
        (pair,) = await waiting(system, 1)
        third = await told(system, "Kanarie Satu")
        (_, other) = await waiting(system, 2)
        await answer(system, pair["match_id"], "SAME")
        await waiting(system, 1)
    for path in fresh_nats.data_dir.glob("routing.db*"):
        path.unlink()
    async with in_process(fresh_nats, judge=judge) as system:
        (left,) = await waiting(system, 1)
        assert left["match_id"] == other["match_id"]
        assert {left["duplicate"]["case_id"], left["goes_on"]["case_id"]} == {
            first["case_id"],
            third["case_id"],
        }
        await until(lambda: _leads(system, second, first))


async def test_two_answers_at_one_instant_are_one_link(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        for name in ("Kanari Satu", "Kanari Satoe"):
            await told(one, name)
        (pair,) = await waiting(one, 1)
        done = await asyncio.gather(*(answer(s, pair["match_id"], "SAME") for s in (one, other) * 3))
        assert {answer.status_code for answer in done} == {200}
        assert (await seen(one, pair["duplicate"]["case_id"], 1))["step"] == 1


async def test_a_report_of_more_persons_goes_on_and_nobody_is_left_out(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        small = await told(system, "Kanari Satu")
        report = a_report(person__name="Kanari Satoe")
        del report["persons"][0]["nip"], report["evidence"]
        report["persons"].append({**report["persons"][0], "ref": "p2", "name": "Merpati Dua"})
        report["acts"].append({**report["acts"][0], "person": "p2"})
        large = (await system.send(report, "large")).json()
        (pair,) = await waiting(system, 1)
        assert (pair["duplicate"]["case_id"], pair["goes_on"]["ticket"]) == (
            small["case_id"],
            large["ticket"],
        )
        assert "MORE_PERSONS" in {reason["code"] for reason in pair["reasons"]}
        done = (await answer(system, pair["match_id"], "SAME")).json()
        assert done["linked"] == small["case_id"]


async def test_of_two_who_answer_differently_at_once_only_one_is_told_that_it_holds(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as two:
        await told(one, "Kanari Satu")
        await told(one, "Kanari Satue", incident__occurred_on="2024-10-23")
        (pair,) = await waiting(one, 1)

        async def different(late: float) -> None:
            await asyncio.sleep(late)
            await answer(two, pair["match_id"], "DIFFERENT")

        for milliseconds in range(40):
            same, _ = await asyncio.gather(
                answer(one, pair["match_id"], "SAME"), different(milliseconds / 2000)
            )
            assert await _last_answer(fresh_nats, pair["match_id"]) == "SAME", "for they are linked"
            linked = same.json()
            await say(one, linked["linked"], "OPERATOR", to="moves", move="VOID", step=linked["step"])


async def _last_answer(broker: Broker, match_id: str) -> str:
    bus = await Bus.connect(broker.settings, "operator")
    found = await bus.last("CASES", f"cases.*.match.{match_id}.*")
    await bus.close()
    return str(json.loads(found or b"")["data"]["answer"])
