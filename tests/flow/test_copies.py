"""Copies of one report become one case; each keeps its own ticket, and nobody hears of the case twice."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.topology import stream_of
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from tests.builders import a_report
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.running import Processes, System, in_process, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
COPIES = 50
AGENCIES = ("BAWASLU", "BKN", "KEMENDAGRI", "KEMENPANRB")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return packaged_judge()


def a_copy(number: int) -> dict[str, Any]:
    """The event as another reporter tells it."""
    name = ("Kanari Satu", "KANARI SATU", " kanari  satu")[number % 3]
    reporter = {"kind": "VOTER", "name": f"Pelapor {number}", "email": f"warga{number}@contoh.example"}
    return a_report(person__name=name, narrative=f"Cerita {number}.", reporter=reporter)


async def cases_told(broker: Broker) -> Counter[str]:
    """How many events of each kind the stream of cases holds, limits left aside; every subject must hold one."""
    bus = await Bus.connect(broker.settings, "operator")
    info = await bus.js.stream_info(stream_of("cases.x"), subjects_filter=">")
    await bus.close()
    assert set((info.state.subjects or {}).values()) == {1}
    kinds = [subject.split(".")[2] for subject in info.state.subjects or {}]
    return Counter(kind for kind in kinds if kind not in ("due", "waiting"))


async def states(system: System, accepted: list[dict[str, Any]]) -> set[str]:
    answers = [
        await system.intake.get(f"/v1/reports/{a['ticket']}", headers={"Netral-Receipt": a["receipt"]})
        for a in accepted
    ]
    return {answer.json()["state"] for answer in answers}


async def test_50_copies_at_once_through_two_workers_are_one_case_with_50_reports(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        sending = [(one, other)[n % 2].send(a_copy(n), f"copy-{n}") for n in range(COPIES)]
        answers = await asyncio.gather(*sending)
        assert {answer.status_code for answer in answers} == {202}
        accepted = [answer.json() for answer in answers]
        tickets = {a["ticket"] for a in accepted}
        assert len(tickets) == COPIES
        stories = [await one.story(ticket) for ticket in tickets]
        (case_id,) = {story["case_id"] for story in stories}

        async def linked() -> bool:
            return len((await one.story(case_id))["reports"]) == COPIES

        await until(linked)
        story = await one.story(case_id)
        assert {report["ticket"] for report in story["reports"]} == tickets
        assert sum(entry["what"] == "report linked" for entry in story["timeline"]) == COPIES
        for agency in AGENCIES:
            (found,) = await one.inbox(agency)
            assert (found["case_id"], found["reports"]) == (case_id, COPIES)
            dossier = (await one.get(f"/v1/agencies/{agency}/cases/{case_id}", agency)).json()
            assert (dossier["ticket"], dossier["reports"]) == (story["ticket"], COPIES)
        assert await states(one, accepted) == await states(other, accepted) == {"ROUTED"}
    assert await cases_told(fresh_nats) == {"decided": 1, "offered": 4, "reports": COPIES}


async def test_a_copy_that_comes_a_year_later_changes_no_decision(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        first = (await system.send(a_copy(1), "first")).json()
        before = await system.story(first["ticket"])
        system.clock.at = system.clock.at.replace(year=2027)
        second = (await system.send(a_copy(2), "second")).json()
        after = await system.story(second["ticket"])
        assert (after["case_id"], after["decision"]) == (before["case_id"], before["decision"])
        assert after["ticket"] == first["ticket"]
        assert await states(system, [first, second]) == {"ROUTED"}
    assert await cases_told(fresh_nats) == {"decided": 1, "offered": 4, "reports": 2}


def letters(inbox: Path) -> list[str]:
    """The mails that arrived. The report is of 2024, so a limit is over at once: its reminder is another test's."""
    found = [path.read_text() for path in inbox.glob("*.eml")]
    return [mail for mail in found if "X-Netral-Letter: 1/overdue" not in mail]


async def test_every_reporter_is_mailed_about_the_own_ticket_and_every_agency_once(
    fresh_nats: Broker,
) -> None:
    copies = 5
    system = Processes(fresh_nats)
    names = ("smtp", "intake", "routing", "notifications")
    for name in names:
        system.start(name)
    try:
        for name in names[1:]:
            await system.ready(name)
        async with httpx.AsyncClient() as http:
            url = system.url("intake") + "/v1/reports"
            answers = await asyncio.gather(*(http.post(url, json=a_copy(n)) for n in range(copies)))
        tickets = [answer.json()["ticket"] for answer in answers]
        inbox = fresh_nats.data_dir / "inbox"

        async def mailed() -> bool:
            return len(letters(inbox)) >= 2 * copies + len(AGENCIES)

        await until(mailed, 60)
        await asyncio.sleep(2)
    finally:
        system.stop()
    mails = letters(inbox)
    assert len(mails) == 2 * copies + len(AGENCIES)
    to = Counter(n for n in range(copies) for mail in mails if f"warga{n}@contoh.example" in mail)
    assert to == dict.fromkeys(range(copies), 2)
    for number, ticket in enumerate(tickets):
        own = [mail for mail in mails if f"warga{number}@contoh.example" in mail]
        assert all(ticket in mail for mail in own)


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_burst_of_a_thousand_copies_with_near_ones_among_them_asks_one_question(
    fresh_nats: Broker, judge: Judge
) -> None:
    """980 copies are one case, 20 of another spelling a second one; a person is asked once, and then they are one."""
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        reports = [a_copy(n) for n in range(1000)]
        for report in reports:
            del report["persons"][0]["nip"]
        for number in range(0, 1000, 50):
            reports[number]["persons"][0]["name"] = "Drs. Kanari Satoe"
        for start in range(0, 1000, 100):
            sending = [(one, other)[n % 2].send(reports[n], f"burst-{n}") for n in range(start, start + 100)]
            assert {answer.status_code for answer in await asyncio.gather(*sending)} == {202}

        async def told() -> bool:
            return await cases_told(fresh_nats) == {"decided": 2, "offered": 8, "reports": 1000}

        await until(told, 120)

        async def asked() -> list[dict[str, Any]]:
            answer = await one.get("/v1/operator/matches", "OPERATOR")
            return list(answer.json()["matches"])

        (pair,) = await until(asked, 60)
        headers = {"Authorization": f"Bearer {one.keys['OPERATOR']}"}
        body = {"answer": "SAME", "reason": "satu peristiwa"}
        door = f"/v1/operator/matches/{pair['match_id']}"
        assert (await one.routing.post(door, json=body, headers=headers)).status_code == 200
        goes_on = pair["goes_on"]["case_id"]

        async def together() -> bool:
            cases = {case["case_id"]: case["reports"] for case in await one.inbox("BAWASLU")}
            return cases.get(goes_on) == 1000

        await until(together, 60)
        assert await asked() == []
    assert (await cases_told(fresh_nats))["offered"] == 8
