"""PostgreSQL may come after the services and go away under them: they say so, wait, and park nothing."""

import json
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from tests.builders import a_report
from tests.conftest import Broker
from tests.flow.test_kill import subjects
from tests.postgres import PostgresServer
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
NAMES = ("intake", "routing", "notifications")


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def system(fresh_nats: Broker, database: PostgresServer) -> Iterator[Processes]:
    running = Processes(fresh_nats)
    running.extra |= {f"NETRAL_{name}_URL": database.new_database() for name in ("VAULT", "CASES", "LEDGER")}
    yield running
    running.stop()


async def test_services_wait_for_a_database_and_lose_nothing_while_it_is_away(
    system: Processes, database: PostgresServer
) -> None:
    database.go_away()
    for name in ("smtp", *NAMES):
        system.start(name)
    async with httpx.AsyncClient(timeout=20) as http:
        for name in NAMES:
            reasons = await until(partial(_not_ready, http, system.url(name)))
            assert "does not answer" in reasons[0], (name, reasons)
        database.come_back()
        for name in NAMES:
            await system.ready(name)
        ticket = await _accepted(http, system, "first")
        await until(lambda: _decided(http, system, ticket))
        database.go_away()
        refused = await http.post(system.url("intake") + "/v1/reports", json=a_report())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        asked = await _story(http, system, ticket)
        assert (asked.status_code, asked.headers["retry-after"]) == (503, "5")
        assert await _not_ready(http, system.url("routing")) == ["the database does not answer"]
        database.come_back()
        ticket = await until(lambda: _accepted(http, system, "second"))
        await until(lambda: _decided(http, system, ticket), 60)
    assert all(system.running[name].poll() is None for name in NAMES)
    assert "cannot_go_on" not in system.logs()
    assert not await subjects(system.broker, "PARKED")


async def _not_ready(http: httpx.AsyncClient, url: str) -> list[str] | None:
    try:
        answer = await http.get(f"{url}/readyz")
    except httpx.HTTPError:
        return None
    return list(answer.json()["reasons"]) if answer.status_code == 503 else None


async def _accepted(http: httpx.AsyncClient, system: Processes, key: str) -> str | None:
    answer = await http.post(
        system.url("intake") + "/v1/reports",
        json=a_report(person__name=key),
        headers={"Idempotency-Key": f"away-{key}"},
    )
    return str(answer.json()["ticket"]) if answer.status_code == 202 else None


async def _story(http: httpx.AsyncClient, system: Processes, ticket: str | None) -> httpx.Response:
    key = json.loads(system.broker.settings.secret("agency-keys.json"))["OPERATOR"]
    return await http.get(
        f"{system.url('routing')}/v1/operator/cases/{ticket}", headers={"Authorization": f"Bearer {key}"}
    )


async def _decided(http: httpx.AsyncClient, system: Processes, ticket: str | None) -> bool:
    answer = await _story(http, system, ticket)
    return answer.status_code == 200 and bool(answer.json()["decision"])
