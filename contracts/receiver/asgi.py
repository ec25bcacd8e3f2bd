"""The receiver as an ASGI application, for uvicorn, hypercorn or granian; `POST` at any path."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from contracts.receiver.webhook import MAX_BYTES, Answer, Receiver


def application(receiver: Receiver, clock: Callable[[], datetime]) -> Callable[..., Any]:
    """`clock` gives the instant it is, with a zone. Events are handled in a thread."""

    async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await _send(send, await _answer(scope, receive))

    async def _answer(scope: dict[str, Any], receive: Callable[..., Any]) -> Answer:
        if scope["method"] != "POST":
            return Answer(405, {"error": "POST only"})
        body = await _body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return await asyncio.to_thread(receiver.answer, headers, body, clock())

    return app


async def _body(receive: Callable[..., Any]) -> bytes:
    """The body; of what is over the limit one byte is kept, so that it is seen."""
    body = b""
    while True:
        message = await receive()
        body = bytes(body + message.get("body", b""))[: MAX_BYTES + 1]
        if not message.get("more_body"):
            return body


async def _send(send: Callable[..., Any], answer: Answer) -> None:
    body = json.dumps(answer.document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    while True:
        step = (await receive())["type"].rsplit(".", 1)[-1]
        await send({"type": f"lifespan.{step}.complete"})
        if step == "shutdown":
            return
