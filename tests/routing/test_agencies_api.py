"""An agency reads what is its own; what is not its own answers like what does not exist."""

import pytest

from services.routing.deciding import Judge
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import in_process

pytestmark = pytest.mark.broker


async def test_an_inbox_shows_the_case_and_the_dossier_without_the_reporter(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        report = a_report(person__name="Kanari Satu", reporter__email="kanari@example.org")
        ticket = (await system.send(report, "k1")).json()["ticket"]
        case_id = (await system.story(ticket))["case_id"]
        assert [case["case_id"] for case in await system.inbox("BAWASLU")] == [case_id]
        dossier = (await system.get(f"/v1/agencies/BAWASLU/cases/{case_id}", "BAWASLU")).json()
        assert dossier["dossier"]["report"]["persons"][0]["name"] == "Kanari Satu"
        assert dossier["dossier"]["report"]["reporter"] == {"kind": "VOTER"}
        assert "kanari@example.org" not in str(dossier)


async def test_a_neighbour_s_case_equals_a_case_that_does_not_exist(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        ticket = (await system.send(a_report(), "k1")).json()["ticket"]
        case_id = (await system.story(ticket))["case_id"]
        nowhere = "00000000-0000-0000-0000-000000000000"
        refusals = [
            await system.get(f"/v1/agencies/PPK/cases/{case_id}", "PPK"),
            await system.get(f"/v1/agencies/PPK/cases/{nowhere}", "PPK"),
            await system.get("/v1/agencies/PPK/cases/no-id", "PPK"),
            await system.get(f"/v1/agencies/BAWASLU/cases/{case_id}", "PPK"),
            await system.get("/v1/agencies/BAWASLU/inbox", "PPK"),
            await system.get("/v1/agencies/NOBODY/inbox", "PPK"),
            await system.get(f"/v1/operator/cases/{case_id}", "BAWASLU"),
        ]
        assert {(answer.status_code, answer.content) for answer in refusals} == {(404, refusals[0].content)}


async def test_without_a_valid_key_nothing_is_said(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}):
            answer = await system.routing.get("/v1/agencies/BAWASLU/inbox", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_keys_are_kept_as_hashes_only(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        files = b"".join(path.read_bytes() for path in fresh_nats.data_dir.glob("routing.db*"))
        assert not any(key.encode() in files for key in system.keys.values())


async def test_pages_follow_each_other_without_gap_or_repetition(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        tickets = {(await system.send(a_report(), f"k{n}")).json()["ticket"] for n in range(7)}
        for ticket in tickets:
            await system.story(ticket)
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
            page = (await system.get("/v1/agencies/BAWASLU/inbox", "BAWASLU", **query)).json()
            seen += [case["ticket"] for case in page["cases"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(seen) == sorted(tickets)


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"role": "BOSS"}, {"cursor": "%%%"}, {"cursor": "YQ=="}]
)
async def test_a_wrong_query_is_a_400_with_the_cure(
    fresh_nats: Broker, judge: Judge, query: dict[str, str]
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await system.get("/v1/agencies/BAWASLU/inbox", "BAWASLU", **query)
        assert answer.status_code == 400
        assert "limit" in answer.json()["detail"]
