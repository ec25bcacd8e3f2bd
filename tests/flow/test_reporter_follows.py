"""A reporter sees with ticket and receipt how the own report goes on, also where its case repeats another."""

from typing import Any

import pytest

from services.intake.news import NEWS
from services.routing.core.lifecycle import STATES
from tests.builders import a_report
from tests.conftest import Broker
from tests.routing.test_matches_api import answer, told, waiting
from tests.routing.test_steps_api import say, seen
from tests.running import System, in_process


async def status(system: System, report: dict[str, Any]) -> dict[str, Any]:
    path, receipt = f"/v1/reports/{report['ticket']}", {"Netral-Receipt": report["receipt"]}
    found: dict[str, Any] = (await system.intake.get(path, headers=receipt)).json()
    return found


async def news(system: System, report: dict[str, Any]) -> tuple[list[str], bool]:
    found = await status(system, report)
    assert found["state"] == "ROUTED"
    return [said["id"] for said in found["progress"]], found["closed"]


@pytest.mark.broker
async def test_each_step_is_seen_until_the_end_and_tells_no_sanction_and_nobody(fresh_nats: Broker) -> None:
    async with in_process(fresh_nats) as system:
        report = (await system.send(a_report(), "k1")).json()
        case_id = (await system.story(report["ticket"]))["case_id"]
        assert await news(system, report) == ([], False)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="REPAIR_NEEDED")
        ((asked,), closed) = await news(system, report)
        assert (asked, closed) == (
            "Perlu dilengkapi pada Bawaslu, Kabupaten Sumbawa, sampai dengan 26-11-2026.",
            False,
        )
        await seen(system, case_id, 1)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        assert await news(system, report) == (
            ["Kajian Bawaslu selesai; diteruskan untuk tindak lanjut."],
            False,
        )
        await seen(system, case_id, 2)
        await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="NOT_PROVEN")
        assert await news(system, report) == (["Tidak terbukti menurut pengawas ASN."], True)
        assert "sudah selesai" in (await status(system, report))["next"]["id"]


@pytest.mark.broker
async def test_who_reported_a_duplicate_follows_the_case_it_is_linked_to(fresh_nats: Broker) -> None:
    async with in_process(fresh_nats) as system:
        first, second = [await told(system, name) for name in ("Kanari Satu", "Kanari Satoe")]
        (pair,) = await waiting(system, 1)
        await answer(system, pair["match_id"], "SAME")
        assert await news(system, second) == ([], False), (
            "the other case goes on, and nobody has spoken there"
        )
        await say(system, first["case_id"], "BAWASLU", event="STUDY_CONCLUDED", result="NO_BREACH")
        assert await news(system, second) == (["Tidak terbukti menurut kajian."], True)


def test_every_state_of_a_case_has_its_sentence_in_both_languages() -> None:
    assert NEWS.keys() == STATES.keys()
    assert all(said.id and said.en and said.id != said.en for said in NEWS.values())
