"""Whoever has no business here learns nothing: every route of routing, against everybody who should not get in."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from deploy.local.receivers import Receivers
from services.routing.app import build_app
from services.routing.core.decide import Judge
from services.routing.settings import RoutingSettings
from tests.builders import a_report
from tests.conftest import Broker
from tests.routing.delivery.receiving import served
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker
NOWHERE = "00000000-0000-0000-0000-000000000000"
OFFICE, OTHER = "kabkota:52.04", "kabkota:16.07"
AGENCY, OPERATOR = "/v1/agencies/{agency}", "/v1/operator"
OPEN = {
    *(("GET", path) for path in ("/healthz", "/readyz", "/openapi.json", "/asyncapi.json")),
    ("POST", "/v1/oauth/token"),
}
LISTS: dict[tuple[str, str], dict[str, Any] | None] = {
    ("GET", f"{AGENCY}/inbox"): None,
    ("GET", f"{AGENCY}/events"): None,
    ("GET", f"{AGENCY}/stream"): None,
    ("GET", f"{AGENCY}/webhooks"): None,
    ("GET", f"{AGENCY}/deliveries"): None,
}
"""Everybody has one of their own."""
WRITES: dict[tuple[str, str], dict[str, Any] | None] = {
    ("POST", f"{AGENCY}/webhooks"): {"url": "https://sbt.bkn.go.id/"},
    ("POST", f"{AGENCY}/deliveries/replay"): {"since": "2020-01-01T00:00:00Z"},
    ("POST", f"{AGENCY}/stream/replays"): {"sequence": 1},
}
"""They touch what is the caller's own, whatever the body says."""
THINGS: dict[tuple[str, str], dict[str, Any] | None] = {
    ("GET", f"{AGENCY}/cases/{{case_id}}"): None,
    ("POST", f"{AGENCY}/cases/{{case_id}}/progress"): {
        "event": "STUDY_CONCLUDED",
        "result": "BREACH",
        "on": "2026-11-24",
    },
    ("POST", f"{AGENCY}/cases/{{case_id}}/moves"): {"move": "ACKNOWLEDGE"},
    ("PATCH", f"{AGENCY}/webhooks/{{endpoint_id}}"): {"url": "https://sbt.bkn.go.id/"},
    ("DELETE", f"{AGENCY}/webhooks/{{endpoint_id}}"): None,
    ("POST", f"{AGENCY}/webhooks/{{endpoint_id}}/prove"): None,
    ("POST", f"{AGENCY}/webhooks/{{endpoint_id}}/rotate"): {},
    ("POST", f"{AGENCY}/webhooks/{{endpoint_id}}/ping"): None,
    ("GET", f"{AGENCY}/deliveries/{{delivery_id}}"): None,
    ("POST", f"{AGENCY}/deliveries/{{delivery_id}}/processed"): {},
    ("POST", f"{AGENCY}/deliveries/{{delivery_id}}/not_found"): {},
    ("POST", f"{AGENCY}/deliveries/{{delivery_id}}/refused"): {"article": "Pasal 1"},
}
"""One thing of one body: another's equals one that does not exist, for whoever asks."""


def routes(broker: Broker, judge: Judge) -> set[tuple[str, str]]:
    """Every method and path that is served."""
    settings = RoutingSettings(data_dir=broker.data_dir, nats_url=broker.settings.nats_url)
    return {
        (method, route.path)
        for route in build_app(settings, judge=judge).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


class Town:
    """A system in which BAWASLU's office has a case, an endpoint and a delivery, and others have keys."""

    def __init__(self, system: System, url: str) -> None:
        self.system, self.url, self.things = system, url, {}
        self.keys: dict[str, str] = {}

    async def ask(
        self, door: tuple[str, str], key: str | None, body: Any, agency: str = "BAWASLU", **things: str
    ) -> httpx.Response:
        given = {"agency": agency, **things}
        path = re.sub(r"{(\w+)}", lambda found: given.get(found[1], NOWHERE), door[1])
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return await self.system.routing.request(door[0], path, json=body, headers=headers)

    async def issue(self, name: str, **body: Any) -> str:
        wanted = {"holder": "BAWASLU", "scopes": ["read", "act", "deliveries"], **body}
        made = await self.ask(("POST", f"{OPERATOR}/keys"), self.system.keys["OPERATOR"], wanted)
        assert made.status_code == 200, made.text
        self.keys[name] = made.json()["key"]
        return str(made.json()["prefix"])

    async def fill(self) -> None:
        for office in (OFFICE, OTHER):
            await self.issue(office, office=office)
        await self.issue("expired", expires_in_days=1)
        revoked = await self.issue("revoked")
        revoking = ("POST", f"{OPERATOR}/keys/{revoked}/revocation")
        assert (await self.ask(revoking, self.system.keys["OPERATOR"], None)).status_code == 200
        self.system.clock.at += timedelta(days=1)
        for scope in ("read", "act", "deliveries"):
            await self.issue(f"only {scope}", scopes=[scope])
        mine = self.keys[OFFICE]
        made = await self.ask(("POST", f"{AGENCY}/webhooks"), mine, {"url": f"{self.url}/ok"})
        endpoint = made.json()["endpoint_id"]
        proving = ("POST", f"{AGENCY}/webhooks/{{endpoint_id}}/prove")
        assert (await self.ask(proving, mine, None, endpoint_id=endpoint)).status_code == 200
        ticket = (await self.system.send(a_report(), "k1")).json()["ticket"]
        case_id = (await self.system.story(ticket))["case_id"]

        async def delivered() -> Any:
            listed = await self.ask(("GET", f"{AGENCY}/deliveries"), mine, None)
            return [row for row in listed.json()["deliveries"] if row["state"] == "DELIVERED"]

        delivery = (await until(delivered))[0]["delivery_id"]
        self.things = {"case_id": case_id, "endpoint_id": endpoint, "delivery_id": delivery}
        self.secrets = [*self.things.values(), ticket, self.url]

    async def standing(self) -> Any:
        """What an intruder might have changed."""
        keys, mine = self.system.keys, self.keys[OFFICE]
        listed = (await self.ask(("GET", f"{AGENCY}/webhooks"), mine, None)).json()["endpoints"]
        sent = ("GET", f"{AGENCY}/deliveries/{{delivery_id}}")
        story = ("GET", f"{OPERATOR}/cases/{self.things['case_id']}")
        return (
            [(one["endpoint_id"], one["number"], one["url"], one["state"]) for one in listed],
            (await self.ask(sent, mine, None, **self.things)).json(),
            (await self.ask(story, keys["OPERATOR"], None)).json()["step"],
        )


@pytest.fixture
async def town(fresh_nats: Broker, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setenv("NETRAL_WEBHOOK_UNSAFE_LOOPBACK", "true")
    async with served(Receivers()) as port, in_process(fresh_nats, judge=judge, clock=Clock()) as system:
        found = Town(system, f"http://127.0.0.1:{port}")
        await found.fill()
        yield found


def said(answer: httpx.Response) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    """Everything an answer tells, but how many requests are left."""
    told = {name: text for name, text in answer.headers.items() if not name.startswith("ratelimit")}
    return answer.status_code, answer.content, tuple(sorted(told.items()))


async def test_every_route_has_its_place_in_this_matrix(fresh_nats: Broker, judge: Judge) -> None:
    operator = {door for door in routes(fresh_nats, judge) if door[1].startswith(OPERATOR)}
    assert routes(fresh_nats, judge) == OPEN | set(LISTS) | set(WRITES) | set(THINGS) | operator


async def test_nobody_without_business_learns_or_changes_anything(
    town: Town, fresh_nats: Broker, judge: Judge
) -> None:
    before = await town.standing()
    doors = {**LISTS, **WRITES, **THINGS}
    operator = dict.fromkeys(door for door in routes(fresh_nats, judge) if door[1].startswith(OPERATOR))
    unknown = {
        said(await town.ask(door, key, body, **things))
        for door, body in {**doors, **operator}.items()
        for key in (None, "ntr_" + "x" * 43, town.keys["expired"], town.keys["revoked"])
        for things in (town.things, {})
    }
    assert [found[0] for found in unknown] == [401]
    nothing = said(await town.ask(("GET", f"{AGENCY}/inbox"), town.system.keys["BKN"], None, "NOBODY"))
    assert nothing[0] == 404
    for door, body in doors.items():  # somebody else's key at BAWASLU's address
        for key in (town.system.keys["BKN"], town.system.keys["OPERATOR"]):
            assert said(await town.ask(door, key, body, **town.things)) == nothing, door
    for door in operator:
        for key in (town.system.keys["BKN"], town.keys[OFFICE], town.system.keys["BAWASLU"]):
            assert said(await town.ask(door, key, {}, **town.things)) == nothing, door
    for door, body in THINGS.items():  # at one's own address, about what is another's
        for key, agency in ((town.system.keys["KPU"], "KPU"), (town.keys[OTHER], "BAWASLU")):
            things = [said(await town.ask(door, key, body, agency, **kind)) for kind in (town.things, {})]
            assert things == [nothing] * 2, door
    assert await town.standing() == before


async def test_another_office_s_lists_are_empty_and_its_replays_replay_nothing(town: Town) -> None:
    before = await town.standing()
    for door in LISTS:
        answer = await town.ask(door, town.keys[OTHER], None)
        assert not [secret for secret in town.secrets if secret in answer.text], door
    replays = ("POST", f"{AGENCY}/deliveries/replay")
    for key, agency in ((town.keys[OTHER], "BAWASLU"), (town.system.keys["BKN"], "BKN")):
        for body in (
            {"ids": [town.things["delivery_id"]]},
            {"endpoint_id": town.things["endpoint_id"]},
            {"state": "DELIVERED", "agency": "BAWASLU"},
        ):
            assert (await town.ask(replays, key, body, agency)).json() == {"replayed": 0}
        asked = ("GET", f"{AGENCY}/deliveries?agency=BAWASLU&endpoint_id={town.things['endpoint_id']}")
        assert (await town.ask(asked, key, None, agency)).json()["deliveries"] == []
        asked = ("GET", f"{AGENCY}/inbox?office={OFFICE}")
        cases = (await town.ask(asked, town.keys[OTHER], None)).json()["cases"]
        assert cases == []
        asked = ("GET", f"{AGENCY}/events?office={OFFICE}")
        assert (await town.ask(asked, town.keys[OTHER], None)).json()["events"] == []
    registering = ("POST", f"{AGENCY}/webhooks")
    for body in ({"office": OFFICE}, {"agency": "BKN"}):
        answer = await town.ask(registering, town.keys[OTHER], {"url": f"{town.url}/ok", **body})
        assert answer.status_code == 422
    assert await town.standing() == before


async def test_a_key_without_the_scope_is_told_so_whether_or_not_the_thing_exists(town: Town) -> None:
    before = await town.standing()
    for door, body in {**LISTS, **WRITES, **THINGS}.items():
        pushed = any(word in door[1] for word in ("webhooks", "deliveries", "replays"))
        right = "deliveries" if pushed else "read" if door[0] == "GET" else "act"
        for scope in {"read", "act", "deliveries"} - {right}:
            key = town.keys[f"only {scope}"]
            answers = {said(await town.ask(door, key, body, **kind)) for kind in (town.things, {})}
            assert [answer[0] for answer in answers] == [403], door
    assert await town.standing() == before
