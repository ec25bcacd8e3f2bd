"""Simulated receivers for integrators and tests: `python -m deploy.local.receivers`, one behaviour for each path.

/ok 200 · /error 500 · /gone 410 · /denied 401 · /busy 429 with Retry-After 120 · /redirect 302 to /ok ·
/slow 200 after ?seconds=30 · /lying 200 at once and a body without end.

Each answers the challenge of its registration properly; add ?cold=1 to fail that too. What came is kept in memory and
shown at GET /heard. It verifies no signature: for that see contracts/receiver.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from services.runtime.serving import serve

HOST, PORT = "127.0.0.1", 8089
KEPT = 100_000


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers.get("webhook-id", "")


@dataclass
class Receivers:
    """`statuses` overrides what a path answers, so that a test can let a receiver fall ill and recover."""

    heard: list[Heard] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/heard", self.shown, methods=["GET"]),
                Route("/{path:path}", self.receive, methods=["POST"]),
            ]
        )

    def on(self, path: str) -> list[Heard]:
        """What came to a path, without the challenges."""
        return [heard for heard in self.heard if heard.path == path and not _challenge(heard.body)]

    async def shown(self, _request: Request) -> Response:
        return JSONResponse(
            [{"path": h.path, "id": h.message_id, "body": h.body.decode()} for h in self.heard]
        )

    async def receive(self, request: Request) -> Response:
        heard = Heard(request.url.path, dict(request.headers), await request.body())
        if len(self.heard) < KEPT:
            self.heard.append(heard)
        if (asked := _challenge(heard.body)) and "cold" not in request.query_params:
            return JSONResponse({"challenge": asked})
        return await self._answer(heard.path, request)

    async def _answer(self, path: str, request: Request) -> Response:
        if path in self.statuses:
            return PlainTextResponse("", self.statuses[path])
        match path.split("/")[1]:
            case "slow":
                await asyncio.sleep(float(request.query_params.get("seconds", "30")))
            case "redirect":
                return RedirectResponse("/ok", 302)
            case "busy":
                return PlainTextResponse("", 429, {"Retry-After": "120"})
            case "lying":
                return StreamingResponse(_endless(), 200)
        statuses = {"error": 500, "gone": 410, "denied": 401}
        return PlainTextResponse("", statuses.get(path.split("/")[1], 200))


def _challenge(body: bytes) -> Any:
    try:
        return json.loads(body)["data"]["challenge"]
    except (ValueError, KeyError, TypeError):
        return None


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 100
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    print(
        f"Simulated receivers on http://{HOST}:{PORT}: /ok /error /gone /denied /busy /redirect /slow /lying",
        flush=True,
    )
    uvloop.run(serve(Receivers().app(), HOST, PORT))
