"""The operator keeps the directory of a running system; every change is an event that all workers follow."""

import asyncio
from typing import Any

import httpx
import pytest

from contracts.events import OfficeChanged
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.reading import page_of
from tests.conftest import Broker
from tests.routing.agencies.test_csv_file import a_file
from tests.running import System, in_process, until

pytestmark = pytest.mark.broker
ROOT = "/v1/operator/agencies"
OFFICE = f"{ROOT}/BAWASLU/offices/kabkota:16.07"


async def ask(system: System, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
    return await system.routing.request(method, path, json=body, headers=headers)


async def load(system: System, *lines: dict[str, str], dry_run: bool = False) -> httpx.Response:
    return await ask(system, "PUT", ROOT, {"csv": a_file(*lines).decode(), "dry_run": dry_run})


async def address(system: System) -> str:
    return str((await ask(system, "GET", OFFICE)).json()["terms"][0]["duty_address"])


async def test_a_dry_run_says_what_would_change_and_changes_nothing(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        before = await address(system)
        told = await load(system, {"duty_address": "baru@banyuasin.example"}, dry_run=True)
        (change,) = told.json()["changes"]
        assert (change["what"], change["office"]) == ("CHANGED", "kabkota:16.07")
        assert "duty_address" in change["fields"]
        assert await address(system) == before


async def test_a_change_is_an_event_that_others_follow_and_a_restart_keeps(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        assert (await load(one, {"duty_address": "baru@banyuasin.example"})).status_code == 200
        assert await address(one) == "baru@banyuasin.example"

        async def followed() -> bool:
            return await address(other) == "baru@banyuasin.example"

        await until(followed)
        again = await load(other, {"duty_address": "baru@banyuasin.example"})
        assert again.json()["changes"] == []
    async with in_process(fresh_nats, judge=judge) as system:
        assert await address(system) == "baru@banyuasin.example"
    bus = await Bus.connect(fresh_nats.settings, "notifications")
    stored = await page_of(bus, "AGENCIES", 1, subjects="agencies.BAWASLU.kabkota-16-07.*")
    await bus.close()
    assert [OfficeChanged.model_validate_json(one.body).data.version for one in stored] == [1, 2]


async def test_two_operators_at_once_leave_what_one_of_them_wanted(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        answers = await asyncio.gather(
            *(load(system, {"duty_address": f"a{n}@x.example"}) for n, system in enumerate((one, other)))
        )
        assert {answer.status_code for answer in answers} <= {200, 409}

        async def agree() -> bool:
            return await address(one) == await address(other)

        await until(agree)


async def test_a_retired_office_stays_with_its_last_day_and_its_successor(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        gone = await ask(
            system, "POST", f"{OFFICE}/retirement", {"last_day": "2026-12-31", "successor": "BKN"}
        )
        assert gone.json()["terms"][-1]["valid_until"] == "2026-12-31"
        listed = await ask(system, "GET", f"{ROOT}?agency=BAWASLU&on=2027-01-01")
        assert "kabkota:16.07" not in [office["office"] for office in listed.json()["offices"]]
        early = await ask(system, "POST", f"{OFFICE}/retirement", {"last_day": "1990-01-01"})
        assert early.status_code == 409
        wrong = await ask(
            system, "POST", f"{OFFICE}/retirement", {"last_day": "2027-01-01", "successor": "X"}
        )
        assert "successor" in wrong.json()["faults"][0]


async def test_a_wrong_file_query_or_office_is_refused_with_the_cure(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        faulty = await load(system, {"zone": "GMT"})
        assert faulty.status_code == 422
        assert faulty.json()["faults"] == [
            "line 2, column zone: 'GMT' is not known here; write one of WIB, WITA, WIT"
        ]
        assert (await system.get(ROOT, "OPERATOR", on="soon")).status_code == 400
        assert (await ask(system, "GET", f"{ROOT}/BAWASLU/offices/prov:99")).status_code == 404
        assert (await system.routing.get(ROOT)).status_code == 401
        assert (await system.get(ROOT, "BAWASLU")).status_code == 404


async def test_a_list_that_is_too_large_is_told_to_come_in_parts(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        refused = await ask(system, "PUT", ROOT, {"csv": "x" * 2_000_000})
        assert refused.status_code == 413
        assert "load it in parts" in refused.json()["detail"]


async def test_a_retirement_by_another_worker_keeps_what_was_loaded_the_moment_before(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        await load(one, {"duty_address": "baru@banyuasin.example"})
        gone = await ask(other, "POST", f"{OFFICE}/retirement", {"last_day": "2026-12-31"})
        (term,) = gone.json()["terms"]
    assert (term["duty_address"], term["valid_until"]) == ("baru@banyuasin.example", "2026-12-31")
