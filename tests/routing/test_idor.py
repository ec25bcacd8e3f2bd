"""Another's case costs what no case costs, and lists and tags of one body tell nothing to another."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from services.routing.core.decide import Judge
from tests.conftest import Broker
from tests.routing.test_steps_api import opened
from tests.running import System, in_process

pytestmark = pytest.mark.broker
NOWHERE = "00000000-0000-0000-0000-000000000000"


async def call(system: System, method: str, path: str, key: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {} if method in ("POST", "PUT", "PATCH") else None
    return await system.routing.request(method, path, json=body, headers=headers)


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
