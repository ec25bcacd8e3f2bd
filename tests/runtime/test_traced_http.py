"""What a caller hears of a request that did not come to its own end."""

import asyncio
import os
import signal

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.runtime.http import TracedHttp, serve
from services.runtime.logs import log
from tests.ports import free_port


async def test_who_is_still_waiting_when_the_door_must_stop_is_told_to_ask_again() -> None:
    ready, port = asyncio.Event(), free_port()

    async def endless(_request: Request) -> Response:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)
        return Response()

    app = TracedHttp(Starlette(routes=[Route("/", endless)]), None, log, service="intake")
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, on_ready=ready.set))
    await ready.wait()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        answer = await client.get("/")
    await serving
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["title"] == "Stopping"
