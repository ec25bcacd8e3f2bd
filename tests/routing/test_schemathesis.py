"""Whatever is sent to the agencies' door, it answers as its document says, and never with an error of its own."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.routing.openapi import api_document
from tests.builders import a_report
from tests.cli.test_operating import until
from tests.conftest import Broker
from tests.running import Processes

pytestmark = [pytest.mark.broker, pytest.mark.thorough]
CHECKS: Any = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 25
SCHEMA = schemathesis.openapi.from_dict(api_document())
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}


class Door:
    """A routing process with one case in it."""

    def __init__(self, system: Processes) -> None:
        self.url = system.url("routing")
        self.keys: dict[str, str] = json.loads(system.broker.settings.secret("agency-keys.json"))
        with httpx.Client(base_url=system.url("intake")) as intake:
            sent = intake.post("/v1/reports", json=a_report(), headers={"Idempotency-Key": "k1"})
        ticket = sent.json()["ticket"]
        until(lambda: self._story(ticket).status_code == 200 and self._story(ticket).json()["decision"])
        self.case_id = str(self._story(ticket).json()["case_id"])

    def _story(self, ticket: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys['OPERATOR']}"}
        return httpx.get(f"{self.url}/v1/operator/cases/{ticket}", headers=headers)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    broker = Broker(tmp_path_factory.mktemp("door") / "broker")
    broker.start()
    system = Processes(broker)
    try:
        for name in ("intake", "routing"):
            system.start(name)
        for name in ("intake", "routing"):
            until(lambda name=name: _ready(system.url(name)))
        yield Door(system)
    finally:
        system.stop()
        broker.stop()


def _ready(url: str) -> bool:
    try:
        return httpx.get(url + "/readyz").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_one_of_the_document(door: Door, label: str) -> None:
    operation = OPERATIONS[label]
    holder = "BAWASLU" if "{agency}" in label else "OPERATOR"

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(), known=st.booleans(), keyed=st.sampled_from([holder] * 5 + ["BKN", ""])
    )
    def ask(case: Any, known: bool, keyed: str) -> None:
        if "agency" in (case.path_parameters or {}):
            case.path_parameters["agency"] = keyed or "BAWASLU"
        if known and "case_id" in (case.path_parameters or {}):
            case.path_parameters["case_id"] = door.case_id
        headers = {"Authorization": f"Bearer {door.keys[keyed]}"} if keyed else {}
        answer = case.call(base_url=door.url, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_a_day_beyond_the_calendar_is_refused_and_not_an_error(door: Door) -> None:
    headers = {"Authorization": f"Bearer {door.keys['BAWASLU']}"}
    for text in (
        "0001-01-01",
        "9999-12-31",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        date.max,
    ):
        answer = httpx.get(f"{door.url}/v1/agencies/BAWASLU/inbox?due_before={text}", headers=headers)
        assert answer.status_code in (200, 400)
