"""Doors to compare ours with, each a process of its own: `python -m tests.bench.doors KIND PORT NATS_URL FOLDER`.

`empty` answers and does nothing; `grouped` stores the same bytes in shared batches; `usual` is a pipeline as one writes it.
"""

import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import nats
import uvloop
from faststream.nats import JStream, NatsBroker
from faststream.security import SASLPlaintext
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.report import Report
from services.runtime.batches import Batch, Message, publish_batch
from services.runtime.connecting import connection
from services.runtime.grouping import Grouped
from services.runtime.serving import serve
from services.runtime.settings import Settings

AGENCIES = {"PNS": ("BKN", "BAWASLU", "KEMENPANRB", "KEMENDAGRI"), "PPPK": ("BKN", "BAWASLU", "KEMENPANRB")}
STORED_BY_THE_USUAL = 6
"""Messages a report: the report, the decision and four agencies told."""


def agencies_of(report: Report) -> tuple[str, ...]:
    """Rules as ifs."""
    if report.persons[0].status == "PPPK":
        return AGENCIES["PPPK"]
    return AGENCIES["PNS"]


async def empty(scope: Any, receive: Any, send: Any) -> None:
    """What the HTTP server itself can do."""
    if scope["type"] == "lifespan":
        await _living(receive, send)
        return
    await _body(receive)
    await _accepted(send)


def grouped(settings: Settings) -> Any:
    """A bare ASGI door that answers once the bytes are synced, many requests sharing one batch."""
    held: dict[str, Any] = {}
    numbers = count(time.time_ns())

    async def write(bodies: Any) -> None:
        messages = [Message(f"raw.door.{next(numbers)}", body) for body in bodies]
        assert await publish_batch(held["nc"], Batch(messages))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            held["nc"] = await nats.connect(**connection(settings, "operator"))
            held["group"] = Grouped(write, 500)
            await _living(receive, send)
            return
        await held["group"].submit(await _body(receive))
        await _accepted(send)

    return app


def usual(settings: Settings) -> Starlette:
    """Starlette, pydantic, FastStream as its tutorial shows them: one message, one publish, and rules as ifs."""
    options = connection(settings, "operator")
    broker = NatsBroker(
        options["servers"],
        security=SASLPlaintext(options["user"], options["password"]),
        inbox_prefix=b"_INBOX_operator",
        logger=None,
    )
    stream = JStream("USUAL", subjects=["usual.>"], declare=False)

    @broker.subscriber("usual.report", stream=stream, durable="usual", pull_sub=True)
    async def route(report: Report) -> None:
        told = agencies_of(report)
        await broker.publish({"agencies": told}, "usual.decided", stream="USUAL")
        for agency in told:
            await broker.publish({"agency": agency}, f"usual.offered.{agency}", stream="USUAL")

    async def post(request: Request) -> Response:
        report = Report.model_validate_json(await request.body())
        await broker.publish(report.model_dump(mode="json", by_alias=True), "usual.report", stream="USUAL")
        return JSONResponse({"ok": True}, 202)

    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        await broker.start()
        yield
        await broker.stop()

    return Starlette(routes=[Route("/v1/reports", post, methods=["POST"])], lifespan=running)


async def _body(receive: Callable[[], Any]) -> bytes:
    body = b""
    while True:
        piece = await receive()
        body += piece.get("body", b"")
        if not piece.get("more_body"):
            return body


async def _accepted(send: Callable[[Any], Any]) -> None:
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _living(receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def main(kind: str, port: str, url: str, folder: str) -> None:
    settings = Settings(data_dir=Path(folder), nats_url=url)
    app = empty if kind == "empty" else {"grouped": grouped, "usual": usual}[kind](settings)
    await serve(app, "127.0.0.1", int(port))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
