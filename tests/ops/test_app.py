"""The ops page: real spans come in, pages come out, and only those who may see them."""

import gzip
from datetime import timedelta

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, Status, StatusCode
from prometheus_client.parser import text_string_to_metric_families

from contracts.topology import CONSUMERS, STREAMS
from services.ops.app import build_app
from services.ops.otlp import MAX_BYTES
from tests.ops.conftest import NOW

CASE = "11111111-1111-5111-8111-111111111111"
CANARY = "canary-7f3a@example.com"


def a_tracer():
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "netral-routing"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    return provider.get_tracer("test"), memory


def made_spans():
    """A request with a publish inside, and a later step linked to it that fails."""
    tracer, memory = a_tracer()
    with (
        tracer.start_as_current_span("POST /v1/reports", attributes={"url.full": CANARY}) as first,
        tracer.start_as_current_span("publish x", attributes={"netral.case.id": CASE}),
    ):
        pass
    link = Link(first.get_span_context(), {"netral.link.reason": "created_long_ago"})
    with tracer.start_as_current_span(
        "process x", links=[link], attributes={"netral.case.id": CASE, "error.type": "ValueError"}
    ) as failed:
        failed.set_status(Status(StatusCode.ERROR, CANARY))
    return memory.get_finished_spans()


@pytest.fixture
async def told(page):
    spans = made_spans()
    body = encode_spans(spans).SerializeToString()
    for content, headers in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"})):
        answer = await page.post("/v1/traces", content=content, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
    return {span.name: f"{span.context.trace_id:032x}" for span in spans}


async def test_a_trace_is_a_waterfall_with_links_and_errors(page, told):
    text = (await page.get(f"/traces/{told['POST /v1/reports']}")).text
    assert text.index("POST /v1/reports") < text.index("publish x")
    failed = (await page.get(f"/traces/{told['process x']}")).text
    assert told["POST /v1/reports"] in failed
    assert "ValueError" in failed


async def test_the_traces_of_a_case_are_on_its_page_also_when_routing_is_away(page, told):
    text = (await page.get(f"/cases/{CASE}")).text
    assert all(trace in text for trace in told.values())


async def test_what_is_not_allowed_is_dropped_on_the_way_in(page, told):
    for trace in told.values():
        for path in (f"/traces/{trace}", f"/api/traces/{trace}"):
            assert CANARY not in (await page.get(path)).text


async def test_jaeger_reads_the_same_trace(page, told):
    [trace] = (await page.get(f"/api/traces/{told['process x']}")).json()["data"]
    [span] = trace["spans"]
    assert trace["processes"][span["processID"]]["serviceName"] == "netral-routing"
    assert span["references"][0]["refType"] == "FOLLOWS_FROM"


async def test_errors_and_slow_traces_can_be_asked_for(page, told):
    text = (await page.get("/traces", params={"errors": "1"})).text
    assert told["process x"] in text
    assert told["POST /v1/reports"] not in text
    assert told["process x"] not in (await page.get("/traces", params={"slower": "60"})).text
    assert (await page.get("/traces", params={"slower": "soon"})).status_code == 400


async def test_what_the_page_asks_itself_is_kept_only_if_slow_or_failed_and_reading_is_listed_when_asked(
    page,
):
    tracer, memory = a_tracer()
    for name, lasts, error in (
        ("GET /v1/operator/stats", 0.1, False),
        ("GET /v1/operator/cases", 3, False),
        ("GET /v1/operator/webhooks", 0.1, True),
        ("GET /v1/reports/{ticket}", 0.1, False),
        ("publish notices.{case_id}.{notice_id}", 0.1, False),
        ("POST /v1/reports", 0.1, False),
    ):
        span = tracer.start_span(name, start_time=10**18)
        if error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(10**18 + int(lasts * 1e9))
    body = encode_spans(memory.get_finished_spans()).SerializeToString()
    assert (await page.post("/v1/traces", content=body)).status_code == 200
    shown, all_of_it = (await page.get("/traces")).text, (await page.get("/traces", params={"all": "1"})).text
    assert "GET /v1/operator/stats" not in all_of_it
    for kept in ("GET /v1/operator/cases", "GET /v1/operator/webhooks", "POST /v1/reports"):
        assert kept in shown
    for minor in ("GET /v1/reports/{ticket}", "publish notices.{case_id}.{notice_id}"):
        assert minor not in shown
        assert minor in all_of_it


async def test_a_small_body_does_not_become_a_large_one(page):
    bomb = gzip.compress(b"\x00" * (MAX_BYTES * 2))
    answer = await page.post("/v1/traces", content=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert (await page.post("/v1/traces", content=b"not protobuf")).status_code == 400


async def test_a_foreign_name_for_this_machine_is_refused(page):
    answer = await page.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 421


async def test_beyond_loopback_only_the_holder_of_the_token_looks(settings, watch):
    app = build_app(settings.model_copy(update={"ops_host": "0.0.0.0"}), watch=watch)
    token = settings.secret("ops-token")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ops") as client:
        assert (await client.get("/healthz")).status_code == 401
        assert (await client.post("/v1/traces", content=b"")).status_code == 401
        assert (await client.get("/healthz", auth=("anybody", token))).status_code == 200
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/healthz", headers=bearer)).status_code == 200
        assert (await client.get("/healthz", headers={"Authorization": "Basic ?"})).status_code == 401


async def test_the_overview_says_what_is_wrong_and_leads_to_the_runbook(page, watch, answers):
    answers.by_path["/readyz"] = (503, {"detail": "the broker is not connected yet"})
    await watch.look()
    text = (await page.get("/")).text
    assert "the broker is not connected yet" in text
    assert "/runbooks/ServiceNotReady" in text
    assert "BrokerAway" in text
    assert (await page.get("/runbooks/BrokerAway")).status_code == 200
    assert (await page.get("/runbooks/../settings")).status_code == 404


def holding(*without):
    """What a broker says that has every stream and durable of the table but some; nothing waits."""
    state = {"messages": 0, "bytes": 0, "first_ts": "0001-01-01T00:00:00Z"}
    idle = {"num_pending": 0, "num_ack_pending": 0, "num_redelivered": 0, "ack_floor": {"consumer_seq": 0}}
    durables = [{"stream_name": c.stream, "name": c.name, **idle} for c in CONSUMERS if c.name not in without]
    streams = [
        {
            "name": stream.name,
            "state": state,
            "consumer_detail": [d for d in durables if d["stream_name"] == stream.name],
        }
        for stream in STREAMS
        if stream.name not in without
    ]
    return {"account_details": [{"stream_detail": streams}]}


WELL = {
    "/readyz": {"status": "ok"},
    "/metrics": "",
    "/v1/operator/stats": {"ageing": []},
    "/v1/operator/cases": {"matters": []},
    "/v1/operator/matches": {"oldest_since": None},
    "/v1/operator/webhooks": {"endpoints": []},
    "/varz": {"connections": 3},
    "/jsz": holding(),
    "/healthz": {"status": "ok"},
}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((401, {"title": "Who are you?"}), "answers 401"),
        ((503, {"title": "Not available"}), "answers 503"),
        (None, "does not answer (ConnectError)"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/v1/operator/stats",
        "/v1/operator/cases",
        "/v1/operator/webhooks",
    ],
)
async def test_what_cannot_be_looked_at_is_not_well(page, watch, answers, path, given, said):
    answers.by_path |= WELL
    await watch.look()
    assert (await page.get("/api/snapshot")).json()["wrong"] == []
    answers.by_path[path] = given
    await watch.look()
    [wrong] = (await page.get("/api/snapshot")).json()["wrong"]
    assert wrong["alert"] == "OpsBlind"
    assert f"{path} {said}" in wrong["en"]


async def test_what_a_service_that_is_not_ready_does_not_show_is_said_once(page, watch, answers):
    answers.by_path |= WELL | {path: (503, {}) for path in ("/readyz", "/v1/operator/stats")}
    await watch.look()
    wrong = (await page.get("/api/snapshot")).json()["wrong"]
    assert {one["alert"] for one in wrong} == {"ServiceNotReady"}


async def test_a_broker_that_answers_and_stores_nothing_any_more_is_named(page, watch, answers):
    complaint = {"status": "unavailable", "error": "JetStream stream '$G > CASES' write error"}
    answers.by_path |= WELL | {"/healthz": (503, complaint)}
    await watch.look()
    [wrong] = (await page.get("/api/snapshot")).json()["wrong"]
    assert (wrong["alert"], wrong["page"]) == ("BrokerUnwell", True)
    assert "write error" in wrong["en"]


async def test_what_somebody_deleted_from_the_broker_is_named(page, watch, answers):
    answers.by_path |= WELL | {"/jsz": holding("WEBHOOKS", "notifications-offered")}
    await watch.look()
    [wrong] = (await page.get("/api/snapshot")).json()["wrong"]
    assert wrong["alert"] == "NotProvisioned"
    assert wrong["en"] == "not there at the broker: WEBHOOKS, notifications-offered, notifications-webhooks"
    assert (await page.get("/runbooks/NotProvisioned")).status_code == 200


def served(accepted, refused):
    return "# TYPE http_server_request_duration_seconds histogram\n" + "".join(
        f'http_server_request_duration_seconds_count{{http_response_status_code="{status}",http_route="/v1/reports"}} {n}\n'
        for status, n in ((202, accepted), (503, refused))
    )


async def test_a_door_that_fails_is_named(page, watch, answers):
    answers.by_path |= WELL | {"/metrics": served(50, 9)}
    await watch.look()
    assert (await page.get("/api/snapshot")).json()["wrong"] == []
    answers.by_path["/metrics"] = served(60, 10)
    await watch.look()
    [wrong] = (await page.get("/api/snapshot")).json()["wrong"]
    assert wrong["alert"] == "DoorErrors"
    assert "3 of 33 requests to /v1/reports failed" in wrong["en"]  # three services give the same figures


async def test_a_service_that_was_silent_for_a_while_did_not_do_everything_anew(page, watch, answers):
    answers.by_path |= WELL | {"/metrics": served(50, 9)}
    await watch.look()
    answers.by_path["/metrics"] = None
    await watch.look()
    answers.by_path["/metrics"] = served(50, 9)
    await watch.look()
    assert (await page.get("/api/snapshot")).json()["wrong"] == []
    assert {tuple(look.totals.items()) for look in watch.past} == {tuple(watch.last.totals.items())}


def a_durable(name):
    counts = {"num_pending": 5, "num_ack_pending": 0, "num_redelivered": 0, "ack_floor": {"consumer_seq": 0}}
    return {"stream_name": "TOLD", "name": name, **counts}


async def test_prometheus_reads_what_the_last_look_saw(page, watch, answers, settings):
    told = {
        "name": "TOLD",
        "state": {"messages": 5, "bytes": 9, "first_ts": "2026-11-24T01:00:00Z"},
        "consumer_detail": [a_durable("routing-deliveries"), a_durable("BKN")],
    }
    answers.by_path |= {
        "/readyz": {"status": "ok"},
        "/v1/operator/cases": {"matters": []},
        "/v1/operator/matches": {"oldest_since": "2026-11-24T01:00:00+00:00"},
        "/v1/operator/stats": {
            "ageing": [
                {
                    "owner": "BKN",
                    "persons": "<5",
                    "cases": "<5",
                    "overdue": 0,
                    "oldest_since": "2026-11-24T02:00:00+00:00",
                }
            ]
        },
        "/v1/operator/webhooks": {
            "endpoints": [
                {"agency": "BKN", "state": "SUSPENDED", "attention": ["REFUSED"]},
                {"agency": "KPU", "state": "ACTIVE", "attention": []},
            ]
        },
        "/varz": {"connections": 3},
        "/jsz": {
            "storage": 1,
            "config": {"max_storage": 10},
            "account_details": [{"stream_detail": [told]}],
        },
        "/healthz": {"status": "ok"},
    }
    await watch.look()
    answer = await page.get(
        "/metrics", headers={"Authorization": f"Bearer {settings.secret('metrics-token')}"}
    )
    samples = {
        (s.name, *s.labels.values()): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }
    assert samples["netral_service_ready", "intake"] == 1
    assert samples["netral_cases_oldest_age_seconds", "BKN"] == 3600
    assert samples["netral_matches_oldest_age_seconds",] == 7200
    assert samples["netral_jetstream_storage_ratio",] == 0.1
    seen_to = {key[1:] for key in samples if key[0] == "netral_webhooks_attention"}
    assert seen_to == {("BKN", "refused"), ("BKN", "suspended")}
    assert samples["jetstream_consumer_num_pending", "BKN", "TOLD"] == 5
    still = {key[1] for key in samples if key[0] == "netral_consumer_still_seconds"}
    assert still == {"routing-deliveries"}  # an agency reads when it likes
    assert ("netral_persons_waiting", "BKN") not in samples  # a small cell is nobody's business


async def test_old_traces_go_whole_and_new_ones_stay(settings, told, page):
    from services.ops.store import Spans
    from services.runtime.database import open_engine

    store = Spans(open_engine(f"sqlite+aiosqlite:///{settings.data_dir / 'ops.db'}"))
    try:
        assert await store.prune(0, 1000) == 0
        assert await store.prune(int((NOW + timedelta(days=36500)).timestamp() * 1e9), 1000) == 2
        assert await store.newest() == []
    finally:
        await store.engine.dispose()
