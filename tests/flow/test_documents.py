"""Whatever is sent to a documented address, the answer is one the document names; nothing makes a door fail."""

import asyncio
import re
import threading
import zlib
from base64 import b64encode
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.intake.openapi import api_document as intake_document
from services.routing.core.decide import Judge
from services.routing.openapi import api_document as routing_document
from tests.builders import a_report
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.postgres import PostgresServer
from tests.running import System, in_process

pytestmark = [pytest.mark.broker, pytest.mark.filterwarnings("ignore::Warning")]
T = TypeVar("T")
load_all_checks()
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOWHERE = "00000000-0000-0000-0000-000000000000"
BODIES: dict[str, dict[str, Any]] = {
    "succession": {"from": "KASN", "to": "BKN", "on": "2024-08-24", "article": "Pasal 1"},
    "moves": {"move": "ACKNOWLEDGE"},
    "progress": {"event": "NOTE"},
    "keys": {"holder": "BKN", "scopes": ["read"]},
}
"""What a body needs besides the hostile value, by the last word of the path."""
few = settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
routing = schemathesis.openapi.from_dict(routing_document())
intake = schemathesis.openapi.from_dict(intake_document("http://intake"))


@dataclass
class Doors:
    """Both services, alive in a loop of their own thread, with something behind every address."""

    broker: Broker
    judge: Judge
    settings: dict[str, Any]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    known: dict[str, str] = field(default_factory=dict)
    system: System = None  # type: ignore[assignment]

    def start(self) -> None:
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.running = in_process(self.broker, judge=self.judge, routing=self.settings)
        self.system = self.do(self.running.__aenter__())
        self.do(self._fill())

    def stop(self) -> None:
        self.do(self.running.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def send(self, client: httpx.AsyncClient, case: Case, key: str | None) -> None:
        """Send a generated request and hold the answer to the document: half of them about things that exist, some without
        a key or with a stranger's."""
        given = dict(case.path_parameters or {})
        chance = zlib.crc32(repr((sorted(given.items()), case.query, str(case.body))).encode())
        sent = {0: "", 1: "KPU"}.get(chance % 9, key)
        headers = {"Authorization": f"Bearer {self.system.keys[sent]}"} if key and sent else {}
        if chance % 2:
            given = {name: self.known.get(name, value) for name, value in given.items()}
        case.path_parameters = {**given, **({"agency": key} if key and "agency" in given else {})}
        wanted = case.as_transport_kwargs(base_url=str(client.base_url), headers=headers)
        raw = {name: text.encode("utf-8", "replace") for name, text in wanted.pop("headers").items()}
        wanted |= {"headers": raw, "cookies": None}
        answer = self.do(_sent(client, wanted))
        case.validate_response(answer, checks=CHECKS)

    def ask(self, method: str, path: str, place: tuple[str, str], value: str) -> httpx.Response:
        """A request about what exists, with one hostile value in one place."""
        where, name = place
        key = "OPERATOR" if "/operator/" in path else "BKN"
        given = {**self.known, **({name: value} if where == "path" else {})}
        for known in re.findall(r"{(\w+)}", path):
            path = path.replace(f"{{{known}}}", quote(given.get(known, NOWHERE), safe=""))
        headers = {b"authorization": f"Bearer {self.system.keys[key]}".encode()}
        if where == "header":
            headers[name.encode()] = value.encode("utf-8")
        wanted: dict[str, Any] = {"headers": headers, "params": {name: value} if where == "query" else None}
        if where == "body" and "oauth" in path:
            wanted["data"] = {"grant_type": "client_credentials", name: value}
        elif where == "body":
            wanted["json"] = {**BODIES.get(path.rsplit("/", 1)[1], {}), name: value}
        elif method in ("post", "put", "patch"):
            wanted["json"] = {}
        return self.do(_sent(self.system.routing, {"method": method, "url": path, **wanted}))

    async def _fill(self) -> None:
        ticket = (await self.system.send(a_report(), "k1")).json()["ticket"]
        await self.system.send(a_report(), "k2")
        case_id = (await self.system.story(ticket))["case_id"]
        auth = {"Authorization": f"Bearer {self.system.keys['BKN']}"}
        made = await self.system.routing.post(
            "/v1/agencies/BKN/webhooks", json={"url": "http://127.0.0.1:9/"}, headers=auth
        )
        assert made.status_code == 201, made.text
        self.known = {"case_id": case_id, "ticket": ticket, "endpoint_id": made.json()["endpoint_id"]}
        self.known |= {"body": "BKN", "office": "pusat", "agency": "BKN"}


async def _sent(client: httpx.AsyncClient, wanted: dict[str, Any]) -> httpx.Response:
    return await client.request(**wanted)


@pytest.fixture(scope="module")
def doors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("doors")
    broker = Broker(folder)
    broker.start()
    given: dict[str, Any] = {"agency_requests_per_minute": 10**6, "webhook_unsafe_loopback": True}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        given |= {"cases_url": server.new_database(), "deliveries_url": server.new_database()}
    found = Doors(broker, packaged_judge(), given)
    found.start()
    yield found
    found.stop()
    broker.stop()


HOSTILE = (
    *(
        "\0",
        "9" * 40,
        "١",
        "x" * 5000,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01",
    ),
    *(b64encode(text).decode() for text in (b"\xff|x", b"2026-01-01|x", b"2026-01-01T00:00:00+00:00|\0")),
    b64encode(b"0001-01-01T00:00:00+14:00|x").decode(),
)
"""What breaks doors: ends of time, numbers no database holds, half-right cursors, letters that look like digits."""


@pytest.mark.thorough
@pytest.mark.parametrize("doors", ["postgresql"], indirect=True)
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_no_parameter_of_any_door_makes_it_fail(doors: Doors, value: str) -> None:
    failed = []
    for path, operations in routing_document()["paths"].items():
        for method, operation in operations.items():
            for place in _places(operation):
                answer = doors.ask(method, path, place, value)
                if answer.status_code >= 500 or str(answer.status_code) not in operation["responses"]:
                    failed.append((method, path, place, answer.status_code))
    assert failed == []


def _places(operation: dict[str, Any]) -> list[tuple[str, str]]:
    """Every parameter and every field of the body."""
    places = [(one["in"], one["name"]) for one in operation.get("parameters", ()) if one["name"] != "agency"]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content["schema"]["$ref"].rsplit("/", 1)[1]
        fields = routing_document()["components"]["schemas"][name]["properties"]
        places += [("body", field) for field in fields]
    return places


@pytest.mark.parametrize("doors", ["sqlite"], indirect=True)
@routing.parametrize()
@few
def test_every_answer_of_the_agencies_door_is_documented(doors: Doors, case: Case) -> None:
    key = "OPERATOR" if "/operator/" in case.path else "BKN"
    doors.send(doors.system.routing, case, key)


@pytest.mark.parametrize("doors", ["sqlite"], indirect=True)
@intake.parametrize()
@few
def test_every_answer_of_the_intake_door_is_documented(doors: Doors, case: Case) -> None:
    doors.send(doors.system.intake, case, None)
