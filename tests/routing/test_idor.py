"""Every door against every caller who has no business there: one refusal, in status, body and work done."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from starlette.routing import Route

from services.routing.app import build_app
from services.routing.core.decide import Judge
from services.routing.settings import RoutingSettings
from tests.conftest import Broker
from tests.routing.agencies.test_keys_api import ROOT, ask, issue
from tests.routing.test_steps_api import opened, seen
from tests.running import Clock, System, in_process

pytestmark = pytest.mark.broker
OPEN = {"/healthz", "/readyz", "/openapi.json", "/asyncapi.json", "/v1/oauth/token"}
NOWHERE = "00000000-0000-0000-0000-000000000000"
OTHER_OFFICE = "kabkota:16.07"
CALLERS = ("no key", "wrong", "revoked", "expired", "other agency", "operator", "other office")


def doors(broker: Broker, judge: Judge) -> list[tuple[str, str]]:
    """Every guarded method and path of the application as it is built."""
    settings = RoutingSettings(data_dir=broker.data_dir, nats_url=broker.settings.nats_url)
    return sorted(
        (method, route.path)
        for route in build_app(settings, judge=judge).routes
        if isinstance(route, Route) and route.path not in OPEN
        for method in (route.methods or set()) - {"HEAD"}
    )


def filled(path: str, case_id: str) -> str:
    values = {"agency": "BAWASLU", "case_id": case_id, "body": "BAWASLU", "office": "kabkota:16.07"}
    parts = [values.get(part[1:-1], "x") if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


async def keys_of(system: System, clock: Clock) -> dict[str, str | None]:
    revoked = await issue(system, holder="BAWASLU", scopes=["read", "act", "deliveries"])
    await ask(system, "POST", f"{ROOT}/{revoked['key_id']}/revocation")
    expired = await issue(system, holder="BAWASLU", scopes=["read", "act", "deliveries"], expires_in_days=1)
    office = await issue(
        system,
        holder="BAWASLU",
        office=OTHER_OFFICE,
        scopes=["read", "act", "deliveries"],
        expires_in_days=30,
    )
    clock.at += timedelta(days=2)
    return {
        "no key": None,
        "wrong": "ntr_" + "x" * 43,
        "revoked": revoked["key"],
        "expired": expired["key"],
        "other agency": system.keys["PPK"],
        "operator": system.keys["OPERATOR"],
        "other office": office["key"],
    }


async def call(system: System, method: str, path: str, key: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {} if method in ("POST", "PUT", "PATCH") else None
    return await system.routing.request(method, path, json=body, headers=headers)


async def test_no_door_opens_for_the_wrong_caller(fresh_nats: Broker, judge: Judge) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock) as system:
        case_id = await opened(system)
        ticket = (await seen(system, case_id, 0))["ticket"]
        keys = await keys_of(system, clock)
        unknown, foreign = set(), set()
        for method, path in doors(fresh_nats, judge):
            for caller in ("no key", "wrong", "revoked", "expired"):
                answer = await call(system, method, filled(path, case_id), keys[caller])
                unknown.add((answer.status_code, answer.content, caller if answer.status_code != 401 else ""))
            strangers = ["other agency", "operator" if "{agency}" in path else "other agency"]
            for caller in strangers:
                answer = await call(system, method, filled(path, case_id), keys[caller])
                foreign.add((answer.status_code, answer.content, path if answer.status_code != 404 else ""))
        assert len(unknown) == 1, unknown
        assert len(foreign) == 1, foreign
        ((status, content, _),) = foreign
        for method, path in doors(fresh_nats, judge):
            if not path.startswith("/v1/agencies/"):
                continue
            answer = await call(system, method, filled(path, case_id), keys["other office"])
            assert case_id not in answer.text, path
            assert ticket not in answer.text, path
            if "{case_id}" in path:
                assert (answer.status_code, answer.content) == (status, content), path


async def test_every_operator_door_is_closed_to_every_agency(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        found = {
            (answer.status_code, answer.content)
            for method, path in doors(fresh_nats, judge)
            if path.startswith("/v1/operator")
            for agency in ("BAWASLU", "BKN", "SP4N_LAPOR")
            for answer in [await call(system, method, filled(path, case_id), system.keys[agency])]
        }
        assert {status for status, _ in found} == {404}
        assert len(found) == 1


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement any database of this process is asked."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("method", "door"), [("GET", ""), ("POST", "/progress"), ("POST", "/moves")], ids=["read", "say", "move"]
)
async def test_another_s_case_costs_what_no_case_costs(
    fresh_nats: Broker, judge: Judge, method: str, door: str
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        found = []
        await call(system, method, f"/v1/agencies/PPK/cases/{NOWHERE}{door}", system.keys["PPK"])
        for wanted in (NOWHERE, case_id):
            with statements() as asked:
                answer = await call(
                    system, method, f"/v1/agencies/PPK/cases/{wanted}{door}", system.keys["PPK"]
                )
            mine = [one for one in asked if " cases" in one or "inbox" in one or "offers" in one]
            headers = {
                name: text for name, text in answer.headers.items() if not name.startswith("ratelimit")
            }
            found.append((answer.status_code, answer.content, json.dumps(headers), mine))
        assert found[0] == found[1]
        assert found[0][0] == 404
        assert found[0][3]


async def test_lists_cursors_and_tags_of_one_tell_nothing_to_another(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        for number in range(3):
            await opened(system, f"k{number}", person__name=f"Orang {number}")
        key = {"Authorization": f"Bearer {system.keys['BAWASLU']}"}
        page = await system.routing.get("/v1/agencies/BAWASLU/inbox?limit=1", headers=key)
        stranger = {"Authorization": f"Bearer {system.keys['PPK']}", "If-None-Match": page.headers["ETag"]}
        cursor = page.json()["next_cursor"]
        answer = await system.routing.get(f"/v1/agencies/PPK/inbox?cursor={cursor}", headers=stranger)
        assert answer.json() == {"cases": [], "next_cursor": None}
