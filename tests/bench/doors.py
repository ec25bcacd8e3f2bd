"""Doors to compare ours with, each a process of its own: `python -m tests.bench.doors KIND PORT NATS_URL FOLDER VAULT`.

`empty` answers and does nothing; `grouped` stores the same bytes in shared batches; `usual` is a pipeline as one writes it,
and `sealing` the same with a vault, in the database at the address VAULT. Port 0 is the worker of such a pipeline;
`keeping` is `sealing` with a worker that keeps cases, inboxes and limits, in such a database of its own.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import nats
import uvloop

from services.runtime.batches import Batch, Message, publish_batch
from services.runtime.connecting import connection
from services.runtime.grouping import Grouped
from services.runtime.serving import serve
from services.runtime.settings import Settings
from tests.bench import usual, usual_keeping
from tests.bench.usual_vault import UsualVault

SEALED = ("sealing", usual_keeping.KIND)
"""Kinds of door with a vault."""


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


async def _body(receive: Callable[[], Any]) -> bytes:
    body = b""
    while True:
        piece = await receive()
        body += bytes(piece.get("body", b""))
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


def opened(kind: str, port: int, settings: Settings, vault: str) -> "subprocess.Popen[bytes]":
    """The process of a door; `vault` is the address of an empty database. Port 0 is the worker behind the door."""
    words = [kind, str(port), settings.nats_url, str(settings.data_dir), vault]
    return subprocess.Popen([sys.executable, "-m", "tests.bench.doors", *words], stderr=subprocess.DEVNULL)


def _app(kind: str, settings: Settings, address: str) -> Any:
    if kind == "empty":
        return empty
    if kind == "grouped":
        return grouped(settings)
    return usual.door(settings, kind, UsualVault(address) if kind in SEALED else None)


async def main(kind: str, port: str, url: str, folder: str, address: str) -> None:
    settings = Settings(data_dir=Path(folder), nats_url=url)
    if port == "0":
        await (
            usual_keeping.work(settings, address)
            if kind == usual_keeping.KIND
            else usual.work(settings, kind)
        )
    else:
        await serve(_app(kind, settings, address), "127.0.0.1", int(port))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
