"""What a process counts, and who may read it."""

from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.runtime.exporting import span_exporter
from services.runtime.http import TracedHttp
from services.runtime.metrics import Counted, Timed
from services.runtime.metrics_door import MetricsDoor
from services.runtime.settings import Settings
from services.runtime.telemetry import set_up

TOKEN = "t" * 32


@pytest.fixture
def telemetry():
    made = set_up("intake", Settings())
    yield made
    made.shutdown()


@pytest.fixture
async def door(telemetry):
    routes = [Route("/cases/{case}", lambda _request: PlainTextResponse("ok"))]
    app = TracedHttp(Starlette(routes=routes), telemetry, lambda *_a, **_k: None, service="intake")
    transport = httpx.ASGITransport(MetricsDoor(app, telemetry.registry, TOKEN))
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        yield client


async def figures(door):
    answer = await door.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    ]


async def test_two_hundred_cases_make_one_series(door):
    for number in range(200):
        await door.get(f"/cases/{number}")
    counts = [s for s in await figures(door) if s[0] == "http_server_request_duration_seconds_count"]
    assert counts == [
        (
            "http_server_request_duration_seconds_count",
            {"http_request_method": "GET", "http_route": "/cases/{case}", "http_response_status_code": "200"},
            200.0,
        )
    ]


async def test_the_figures_are_for_the_holder_of_the_token(door):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = await door.get("/metrics", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert (await door.post("/metrics")).status_code == 405


async def test_every_instrument_records_under_its_own_name(door, telemetry):
    for timed in Timed:
        telemetry.instruments.time(timed, 0.3, agency="BKN")
    for counted in Counted:
        telemetry.instruments.count(counted, agency="BKN")
    names = {name for name, labels, _ in await figures(door) if labels.get("netral_agency") == "BKN"}
    for timed in Timed:
        assert timed.value[0].replace(".", "_") + "_seconds_bucket" in names
    for counted in Counted:
        assert counted.value[0].replace(".", "_") + "_total" in names


async def test_what_is_counted_adds_up_whatever_the_order_of_its_labels(door, telemetry):
    telemetry.instruments.count(Counted.MAILS, 2, agency="BKN", outcome="SENT")
    telemetry.instruments.count(Counted.MAILS, outcome="SENT", agency="BKN")
    assert [value for name, _, value in await figures(door) if name == "netral_mail_attempts_total"] == [3.0]
    assert [value for name, _, value in await figures(door) if name == "netral_mail_attempts_total"] == [3.0]


def test_every_instrument_is_in_the_documentation():
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    for instrument in (*Timed, *Counted):
        assert f"`{instrument.value[0]}`" in page


def test_grpc_is_used_where_it_is_asked_for():
    there = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    assert span_exporter({}) is None
    assert span_exporter({**there, "OTEL_TRACES_EXPORTER": "none"}) is None
    for protocol, module in (("", "http"), ("http/protobuf", "http"), ("grpc", "grpc")):
        made = span_exporter({**there, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
        assert f".{module}." in type(made).__module__
        made.shutdown()
