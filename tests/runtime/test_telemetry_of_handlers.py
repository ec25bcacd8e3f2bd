"""What is recorded of a handled message, on a real broker with FastStream and the failure table."""

import asyncio
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import pytest
from faststream.nats import JStream, NatsBroker
from nats.errors import NoServersError
from nats.js.api import ConsumerConfig
from opentelemetry.trace import SpanKind, StatusCode

from services.runtime.failures import FailureTable
from services.runtime.logs import log
from services.runtime.messaging import NeedsAPerson, TryLater, durable
from services.runtime.spans import HandlerTelemetry, note, publish_headers
from tests.ports import free_port
from tests.running import until

pytestmark = pytest.mark.broker

CANARY = "canary-7f3a@example.com"
CASE = "11111111-1111-5111-8111-111111111111"
SUBJECT = f"cases.{CASE}.decided"
SERVER = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if SERVER is None:
        pytest.skip("no nats-server here")
    port = free_port()
    command = [SERVER, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path_factory.mktemp("nats"))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"nats://127.0.0.1:{port}"
    process.terminate()
    process.wait()


async def connected(address):
    """A connection; None while nats-server is not there yet."""
    try:
        return await nats.connect(address, max_reconnect_attempts=1, allow_reconnect=False)
    except (OSError, NoServersError):
        return None


@asynccontextmanager
async def handling(address, telemetry, handler, clock, said):
    """A stream CASES with the durable `notifications-decided`, and `handler` behind our middlewares."""
    nc = await until(lambda: connected(address))
    js = nc.jetstream()
    await js.add_stream(name="CASES", subjects=["cases.>"])
    await js.add_stream(name="PARKED", subjects=["parked.>"])
    await js.add_consumer(
        "CASES", ConsumerConfig(durable_name="notifications-decided", ack_policy="explicit", ack_wait=30)
    )
    middlewares = (HandlerTelemetry(telemetry, said, clock=clock), FailureTable)
    broker = NatsBroker(address, middlewares=middlewares, logger=None)
    subscription = {**durable("notifications-decided"), "stream": JStream("CASES", declare=False)}
    broker.subscriber(**subscription)(handler)
    await broker.start()
    try:
        yield js
    finally:
        await broker.stop()
        await js.delete_stream("CASES")
        await js.delete_stream("PARKED")
        await nc.close()


@pytest.fixture
def handle(server, spans, lines):
    """Publishes one message, waits for `times` log lines of its handling, and returns those."""

    async def run(handler, *, times=1, body=b'{"a": 1}', clock=lambda: datetime.now(UTC)):
        handled = asyncio.Queue()

        def said(event, **facts):
            log(event, **facts)
            handled.put_nowait(event)

        async with handling(server, spans.telemetry, handler, clock, said) as js:
            with publish_headers(spans.telemetry, SUBJECT) as headers:
                await js.publish(SUBJECT, body, headers={**headers, "Nats-Msg-Id": "m1"})
            for _ in range(times):
                await handled.get()
            return [line for line in lines() if line["event"] == "message.handled"]

    return run


def processed(spans):
    return [span for span in spans() if span.kind is SpanKind.CONSUMER]


async def test_a_handled_message_is_one_span_below_its_publish_and_one_line(handle, spans):
    async def handler(body: dict) -> None:
        note(persons=2)

    [line] = await handle(handler)
    [publish] = [span for span in spans() if span.kind is SpanKind.PRODUCER]
    [span] = processed(spans)
    assert span.name == "process cases.{case_id}.decided"
    assert span.parent.span_id == span.links[0].context.span_id == publish.context.span_id
    assert dict(span.attributes) == {
        "messaging.system": "nats",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "cases.{case_id}.decided",
        "messaging.destination.template": "cases.{case_id}.decided",
        "messaging.consumer.group.name": "notifications-decided",
        "messaging.message.id": "m1",
        "messaging.nats.stream": "CASES",
        "messaging.nats.stream.sequence": 1,
        "messaging.nats.delivery.count": 1,
        "netral.case.id": CASE,
        "netral.outcome": "handled",
    }
    assert line.pop("time")
    assert line.pop("duration_ms") >= 0
    assert line == {
        "level": "INFO",
        "service": "intake",
        "event": "message.handled",
        "persons": 2,
        "destination": "cases.{case_id}.decided",
        "case_id": CASE,
        "stream": "CASES",
        "consumer": "notifications-decided",
        "seq": 1,
        "delivery": 1,
        "outcome": "handled",
        "trace_id": f"{span.context.trace_id:032x}",
        "span_id": f"{span.context.span_id:016x}",
    }


async def test_what_the_handler_logs_and_publishes_belongs_to_its_trace(handle, spans, lines):
    async def handler(body: dict) -> None:
        log("within")
        with publish_headers(spans.telemetry, f"notices.{CASE}.n1"):
            pass

    [line] = await handle(handler)
    assert next(said["trace_id"] for said in lines() if said["event"] == "within") == line["trace_id"]
    [notice] = [span for span in spans() if span.name.startswith("publish notices")]
    assert f"{notice.parent.span_id:016x}" == line["span_id"]


async def test_a_retry_is_a_span_and_a_line_for_each_delivery_in_one_trace(handle, spans):
    seen = []

    async def handler(body: dict) -> None:
        seen.append(body)
        if len(seen) == 1:
            raise TryLater(0.05)

    first, second = await handle(handler, times=2)
    assert (first["outcome"], first["error"], first["delivery"]) == ("retry", "TryLater", 1)
    assert (second["outcome"], second["delivery"]) == ("handled", 2)
    assert first["trace_id"] == second["trace_id"]
    assert processed(spans)[0].status.status_code is StatusCode.ERROR  # so whoever samples keeps it


async def test_a_bug_is_told_by_type_and_never_by_its_text(handle, spans, lines):
    async def handler(body: dict) -> None:
        raise ValueError(CANARY)

    [line] = await handle(handler, body=f'{{"email": "{CANARY}"}}'.encode())
    assert (line["outcome"], line["error"]) == ("retry", "ValueError")
    [span] = processed(spans)
    assert span.attributes["error.type"] == "ValueError"
    assert CANARY not in "".join(span.to_json() for span in spans()) + str(lines())


async def test_a_parked_message_is_told_so(handle, spans):
    async def handler(body: dict) -> None:
        raise NeedsAPerson("NO_DESK")

    [line] = await handle(handler)
    assert (line["level"], line["outcome"], line["error"], line["reason"]) == (
        "ERROR",
        "parked",
        "NeedsAPerson",
        "NO_DESK",
    )
    [span] = processed(spans)
    assert span.attributes["netral.outcome"] == "parked"
    assert span.status.status_code is StatusCode.ERROR


async def test_a_body_that_cannot_be_read_is_one_line_too(handle, spans, lines):
    async def handler(body: dict) -> None:
        raise AssertionError("never reached")

    [line] = await handle(handler, body=CANARY.encode())
    assert line["outcome"] == "parked"
    assert CANARY not in "".join(span.to_json() for span in spans()) + str(lines())


async def test_an_old_message_starts_a_new_trace_that_links_to_its_publish(handle, spans):
    async def handler(body: dict) -> None:
        pass

    await handle(handler, clock=lambda: datetime.now(UTC) + timedelta(minutes=15, seconds=5))
    [publish] = [span for span in spans() if span.kind is SpanKind.PRODUCER]
    [span] = processed(spans)
    assert span.parent is None
    assert span.context.trace_id != publish.context.trace_id == span.links[0].context.trace_id
    assert span.links[0].attributes["netral.link.reason"] == "created_long_ago"
