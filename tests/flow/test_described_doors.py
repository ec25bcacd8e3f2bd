"""Both doors answer as their OpenAPI documents say, whatever is sent, and never with a 500."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import content_type_conformance, not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.conftest import Broker
from tests.running import Processes

pytestmark = [pytest.mark.broker, pytest.mark.thorough, pytest.mark.timeout(300)]
CHECKS: Any = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES = 6


@pytest.fixture(scope="module")
def system(nats: Broker) -> Iterator[Processes]:
    import asyncio

    system = Processes(nats, extra={"NETRAL_AGENCY_REQUESTS_PER_MINUTE": "100000"})
    for name in ("intake", "routing"):
        system.start(name)
    for name in ("intake", "routing"):
        asyncio.run(system.ready(name))
    yield system
    system.stop()


@pytest.mark.parametrize(
    ("door", "holder"), [("intake", None), ("routing", "OPERATOR"), ("routing", "BAWASLU")]
)
def test_a_door_answers_as_its_document_says(
    system: Processes, nats: Broker, door: str, holder: str | None
) -> None:
    url = system.url(door)
    schema = schemathesis.openapi.from_dict(httpx.get(url + "/openapi.json").json())
    keys = json.loads(nats.settings.secret("agency-keys.json"))
    headers = {"Authorization": f"Bearer {keys[holder]}"} if holder else {}
    wrong = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if "stream" in operation.path:  # it goes on for ever
            continue
        try:
            answered(operation, url, headers)
        except Exception as problem:
            wrong.append(f"{operation.label}: {said(problem)}")
    assert wrong == []


def answered(operation: Any, url: str, headers: dict[str, str]) -> None:
    """Send some requests that the document allows. Raises what the checks found."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(operation.as_strategy())
    def work(case: Any) -> None:
        case.call_and_validate(base_url=url, headers=headers, checks=CHECKS, timeout=20)

    work()


def said(problem: BaseException) -> str:
    inner = getattr(problem, "exceptions", ())
    return "; ".join(said(one) for one in inner) if inner else str(problem)[:700]
