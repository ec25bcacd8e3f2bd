"""What a door tells its callers, and what it tells us about them."""

import asyncio
import os
import signal
import socket

import httpx
import pytest
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.runtime.http import (
    CannotListen,
    TooLarge,
    TracedHttp,
    bearer,
    body_within,
    exception_handlers,
    problem,
    same,
    serve,
)
from services.runtime.logs import log
from tests.ports import free_port

CANARY = "canary-7f3a"
TRACEPARENT = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


async def answer(request):
    match request.path_params.get("what"):
        case "boom":
            raise ValueError(CANARY)
        case "away":
            return problem(503, "Away", "Come back.", reasons=["x"])
    return PlainTextResponse("ok")


async def keep(request):
    try:
        body = await body_within(request, 10)
    except TooLarge as large:
        return problem(413, "Too large", f"At most {large.limit} bytes.")
    return PlainTextResponse(str(len(body)))


APP = Starlette(
    routes=[Route("/things/{what}", answer), Route("/keep", keep, methods=["POST"])],
    exception_handlers=exception_handlers,
)


@pytest.fixture
async def http(spans, lines):
    traced = TracedHttp(APP, spans.telemetry, log, service="intake")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(traced), base_url="http://door") as client:
        yield client


async def test_a_request_is_one_server_span_named_by_its_route(http, spans):
    await http.get(f"/things/{CANARY}?email={CANARY}", headers={"User-Agent": CANARY})
    [span] = spans()
    assert (span.name, span.kind, span.parent) == ("GET /things/{what}", SpanKind.SERVER, None)
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.route": "/things/{what}",
        "http.response.status_code": 200,
        "url.scheme": "http",
    }
    assert CANARY not in span.to_json()


async def test_a_request_is_one_log_line_without_path_query_or_address(http, lines, spans):
    await http.get(f"/things/{CANARY}?email={CANARY}", headers={"User-Agent": CANARY})
    [line] = lines()
    assert line["trace_id"] == f"{spans()[0].context.trace_id:032x}"
    assert set(line) == {
        "time",
        "level",
        "service",
        "event",
        "method",
        "route",
        "status",
        "duration_ms",
        "trace_id",
    }
    assert (line["event"], line["method"], line["route"], line["status"]) == (
        "http.handled",
        "GET",
        "/things/{what}",
        200,
    )


async def test_an_exception_is_a_500_problem_that_tells_nothing_from_inside(http, spans, lines):
    response = await http.get("/things/boom")
    assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
    [span], [line] = spans(), lines()
    assert (span.attributes["error.type"], span.status.status_code) == ("ValueError", StatusCode.ERROR)
    assert (line["level"], line["error"]) == ("ERROR", "ValueError")
    assert CANARY not in response.text + span.to_json() + str(lines())


async def test_an_app_that_never_answers_is_answered_for(spans, lines):
    async def silent(scope, receive, send):
        raise OSError(CANARY)

    traced = TracedHttp(silent, spans.telemetry, log, service="intake")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(traced), base_url="http://door") as client:
        response = await client.get("/")
    assert (response.status_code, response.json()["title"]) == (500, "Internal error")
    assert lines()[0]["status"] == 500


async def test_a_503_of_ours_is_an_error_and_a_404_is_not(http, spans):
    assert (await http.get("/things/away")).json() == {
        "type": "about:blank",
        "title": "Away",
        "status": 503,
        "detail": "Come back.",
        "reasons": ["x"],
    }
    await http.get(f"/{CANARY}")
    away, nothing = spans()
    assert away.attributes["error.type"] == "503"
    assert nothing.name == "GET"
    assert "error.type" not in nothing.attributes
    assert "http.route" not in nothing.attributes


async def test_unknown_addresses_and_wrong_methods_are_problems(http):
    nothing, wrong = await http.get("/nothing"), await http.delete("/keep")
    assert (nothing.status_code, nothing.json()["title"]) == (404, "Not Found")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert "POST" in wrong.json()["detail"]


async def test_a_method_that_the_caller_invented_is_not_repeated(http, spans, lines):
    await http.request("CANARY", "/things/x")
    assert spans()[0].name == "HTTP /things/{what}"
    assert "CANARY" not in spans()[0].to_json() + str(lines())


async def test_on_the_public_edge_a_callers_trace_is_linked_and_not_continued(http, spans):
    await http.get("/things/x", headers={"traceparent": TRACEPARENT, "tracestate": f"a={CANARY}"})
    [span] = spans()
    assert span.parent is None
    assert span.context.trace_id != span.links[0].context.trace_id == int("ab" * 16, 16)
    assert CANARY not in span.to_json()


async def test_between_our_services_the_callers_trace_is_continued(spans, lines):
    traced = TracedHttp(APP, spans.telemetry, log, service="intake", trust_incoming=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(traced), base_url="http://door") as client:
        await client.get("/things/x", headers={"traceparent": TRACEPARENT})
    [span] = spans()
    assert (span.parent.span_id, span.context.trace_id) == (int("cd" * 8, 16), int("ab" * 16, 16))


async def test_without_telemetry_a_request_is_still_answered_and_logged(lines):
    traced = TracedHttp(APP, None, log, service="intake")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(traced), base_url="http://door") as client:
        assert (await client.get("/things/x")).text == "ok"
    assert "trace_id" not in lines()[0]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused_whether_it_declares_its_length_or_not(http, declared):
    async def chunks():
        for _ in range(3):
            yield b"12345"

    response = await http.post("/keep", content=b"1" * 11 if declared else chunks())
    assert response.status_code == 413


async def test_a_body_of_exactly_the_limit_is_read(http):
    assert (await http.post("/keep", content=b"1" * 10)).text == "10"


async def test_a_body_that_lies_about_its_length_is_cut_off_by_what_arrives():
    async def receive():
        return {"type": "http.request", "body": b"1" * 11, "more_body": True}

    with pytest.raises(TooLarge):
        await body_within(Request({"type": "http", "headers": [(b"content-length", b"1")]}, receive), 10)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer", None), ("", None)],
)
def test_the_bearer_token_is_read(header, token):
    request = Request({"type": "http", "headers": [(b"authorization", header.encode())]})
    assert bearer(request) == token


def test_secrets_are_compared_whatever_they_are_made_of():
    assert same("rahasia", "rahasia")
    assert not same("", "rahasia")
    assert not same("é", "e")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_door_serves_beside_other_tasks_until_it_is_told_to_stop(number):
    port, ready = free_port(), asyncio.Event()
    serving = asyncio.create_task(serve(APP, "127.0.0.1", port, on_ready=ready.set))
    await ready.wait()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        response = await client.get("/things/x")
    os.kill(os.getpid(), number)
    await serving
    assert response.text == "ok"
    assert "server" not in response.headers


async def test_a_request_that_runs_when_the_door_is_told_to_stop_is_finished():
    began, ready, port = asyncio.Event(), asyncio.Event(), free_port()

    async def slow(_request):
        began.set()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.3)
        return PlainTextResponse("finished")

    app = Starlette(routes=[Route("/", slow)])
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, on_ready=ready.set))
    await ready.wait()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/")).text == "finished"
    await serving


async def test_an_address_in_use_is_one_sentence_with_the_cure():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"127.0.0.1:{port}: cannot be listened on .*set another port"):
            await serve(APP, "127.0.0.1", port)


async def test_a_port_that_no_port_can_be_is_the_same_sentence():
    with pytest.raises(CannotListen, match="cannot be listened on"):
        await serve(APP, "127.0.0.1", 70_000)
