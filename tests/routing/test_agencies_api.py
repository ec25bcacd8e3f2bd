"""An agency reads what is its own; what is not its own answers like what does not exist."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.app import build_app
from services.routing.core.decide import Judge
from services.routing.dossiers import Dossiers
from services.routing.settings import RoutingSettings
from services.routing.views_tables import metadata
from services.runtime.database import open_engine
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import in_process

pytestmark = pytest.mark.broker


@pytest.fixture
def fresh_nats(fresh_nats: Broker, database_url: str) -> Broker:
    """Every test here runs on both databases."""
    fresh_nats.cases_url = database_url
    return fresh_nats


@asynccontextmanager
async def database(broker: Broker) -> AsyncIterator[AsyncConnection]:
    """The database of the views, by hand."""
    engine = open_engine(str(broker.cases_url))
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def test_an_inbox_shows_the_case_and_the_dossier_without_the_reporter(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        report = a_report(person__name="Kanari Satu", reporter__email="kanari@example.org")
        ticket = (await system.send(report, "k1")).json()["ticket"]
        case_id = (await system.story(ticket))["case_id"]
        assert [case["case_id"] for case in await system.inbox("BAWASLU")] == [case_id]
        dossier = (await system.get(f"/v1/agencies/BAWASLU/cases/{case_id}", "BAWASLU")).json()
        assert dossier["dossier"]["persons"][0]["name"] == "Kanari Satu"
        assert dossier["dossier"]["reporter"] == {"kind": "VOTER"}
        assert dossier["dossier"]["withheld"] == []
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


async def test_no_key_is_in_the_database(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        async with database(fresh_nats) as connection:
            names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            kept = {name: (await connection.execute(text(f'SELECT * FROM "{name}"'))).all() for name in names}
        assert "positions" in kept
        assert not any(key in str(kept) for key in system.keys.values())


async def test_pages_follow_each_other_without_gap_or_repetition(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        reports = [a_report(person__name=f"Orang {n}") for n in range(7)]
        tickets = {(await system.send(report, f"k{n}")).json()["ticket"] for n, report in enumerate(reports)}
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
    "query",
    [
        {"limit": "0"},
        {"limit": "x"},
        {"role": "BOSS"},
        {"state": "LOST"},
        {"region": "16.07"},
        {"order": "random"},
        {"due_before": "soon"},
        {"updated_since": "2026-01-01T00:00:00"},
        {"cursor": "%%%"},
        {"cursor": "YQ=="},
        {"rôle": "ACTION"},
    ],
)
async def test_a_wrong_query_is_a_400_with_the_cure(
    fresh_nats: Broker, judge: Judge, query: dict[str, str]
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await system.get("/v1/agencies/BAWASLU/inbox", "BAWASLU", **query)
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith(next(iter(query)))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/operator/cases/%00",
        "/v1/operator/cases/NTR-%00",
        "/v1/operator/cases?owner=%00",
        "/v1/operator/cases?cursor=MjAyNi0wMS0wMVQwMDowMDowMCswMDowMHwA",
        "/v1/operator/cases?cursor=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMHx4",
        "/v1/operator/cases?cursor=MjAyNi0wMS0wMVQwMDowMDowMHx4",
    ],
)
async def test_an_id_that_no_database_can_hold_is_one_that_nobody_has(
    fresh_nats: Broker, judge: Judge, path: str
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
        assert (await system.routing.get(path, headers=headers)).status_code in (400, 404)


async def test_an_agency_sees_only_the_persons_it_was_told_of(fresh_nats: Broker, judge: Judge) -> None:
    report = a_report(person__post="CAMAT", person__name="Kanari Satu")
    report["persons"].append({"ref": "kedua", "status": "NON_ASN", "name": "Kanari Dua"})
    report["acts"].append({"person": "kedua", "code": "JOIN_CAMPAIGN"})
    async with in_process(fresh_nats, judge=judge) as system:
        ticket = (await system.send(report, "k1")).json()["ticket"]
        case_id = (await system.story(ticket))["case_id"]
        seen = (await system.get(f"/v1/agencies/GAKKUMDU/cases/{case_id}", "GAKKUMDU")).json()
        assert "Kanari Dua" not in str(seen)
        assert [person["ref"] for person in seen["dossier"]["persons"]] == ["p1"]
        both = (await system.get(f"/v1/agencies/BAWASLU/cases/{case_id}", "BAWASLU")).json()
        assert [person["ref"] for person in both["dossier"]["persons"]] == ["p1", "p2"]


async def test_a_key_that_left_the_secret_opens_nothing_and_an_office_key_only_its_office(
    fresh_nats: Broker, judge: Judge
) -> None:
    secret = fresh_nats.data_dir / "secrets" / "agency-keys.json"
    async with in_process(fresh_nats, judge=judge) as system:
        old = system.keys["BAWASLU"]
        ticket = (await system.send(a_report(), "k1")).json()["ticket"]
        await system.story(ticket)
    keys = {
        **system.keys,
        "BAWASLU": "n" * 40,
        "BAWASLU/kabkota:52.04": "h" * 40,
        "BAWASLU/kabkota:52.05": "o" * 40,
    }
    secret.write_text(json.dumps(keys))
    async with in_process(fresh_nats, judge=judge) as system:
        path = "/v1/agencies/BAWASLU/inbox"
        answers = {
            key: await system.routing.get(path, headers={"Authorization": f"Bearer {key}"})
            for key in (old, "n" * 40, "h" * 40, "o" * 40)
        }
        found = {
            key: len(a.json()["cases"]) if a.status_code == 200 else a.status_code
            for key, a in answers.items()
        }
        assert list(found.values()) == [401, 1, 1, 0]


async def test_a_lost_database_of_cases_is_filled_again_from_the_streams(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        reports = [a_report(person__name=f"Orang {n // 2}") for n in range(5)]
        tickets = [(await system.send(report, f"k{n}")).json()["ticket"] for n, report in enumerate(reports)]
        for ticket in tickets:
            await system.story(ticket)
        before = await system.inbox("BKN")
    async with database(fresh_nats) as connection:
        await connection.run_sync(metadata.drop_all)
    async with in_process(fresh_nats, judge=judge) as system:
        assert await system.inbox("BKN") == before


async def test_a_database_of_an_older_version_is_filled_anew(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        await system.story((await system.send(a_report(), "k1")).json()["ticket"])
        before = await system.inbox("BKN")
    async with database(fresh_nats) as connection:
        await connection.execute(text("ALTER TABLE cases DROP COLUMN region"))
    async with in_process(fresh_nats, judge=judge) as system:
        assert await system.inbox("BKN") == before


async def test_a_dossier_that_cannot_be_fetched_is_a_503_and_comes_back(
    fresh_nats: Broker, judge: Judge
) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    async with in_process(fresh_nats, judge=judge) as system:
        ticket = (await system.send(a_report(), "k1")).json()["ticket"]
        case_id = (await system.story(ticket))["case_id"]
    client = httpx.AsyncClient(transport=httpx.MockTransport(away), base_url="http://intake")
    settings = RoutingSettings(data_dir=fresh_nats.data_dir, nats_url=fresh_nats.settings.nats_url)
    app = build_app(settings, judge=judge, dossiers=Dossiers(client, "token"))
    async with app.router.lifespan_context(app):
        door = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://routing")
        headers = {"Authorization": f"Bearer {system.keys['BAWASLU']}"}
        answer = await door.get(f"/v1/agencies/BAWASLU/cases/{case_id}", headers=headers)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
