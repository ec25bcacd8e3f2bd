"""What a caller hears of a request that did not come to its own end."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.runtime.http import TracedHttp, serve, stopping
from services.runtime.logs import log
from tests.ports import free_port
from tests.running import until

Lines = Callable[[], list[dict[str, Any]]]


async def test_who_is_still_waiting_when_the_door_must_stop_is_told_to_ask_again(lines: Lines) -> None:
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
    assert [(line["level"], line["event"]) for line in lines() if "waiting" not in line.get("said", "")] == [
        ("ERROR", "library.said"),  # uvicorn's one, however many it cuts off
        ("WARNING", "http.handled"),
    ]


async def test_who_only_waits_for_something_sees_that_the_door_was_told_to_stop() -> None:
    ready, port, seen = asyncio.Event(), free_port(), list[bool]()

    def told(request: Request) -> Callable[[], Awaitable[bool]]:
        async def there() -> bool:
            return stopping(request.scope)

        return there

    async def waiting(request: Request) -> Response:
        seen.append(stopping(request.scope))
        os.kill(os.getpid(), signal.SIGTERM)
        await until(told(request))
        return Response()

    serving = asyncio.create_task(
        serve(Starlette(routes=[Route("/", waiting)]), "127.0.0.1", port, on_ready=ready.set)
    )
    await ready.wait()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.get("/")).status_code == 200
    await serving
    assert seen == [False]


async def test_ctrl_c_pressed_twice_still_closes_what_the_application_opened(lines: Lines) -> None:
    ready, closed = asyncio.Event(), list[bool]()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        closed.append(True)

    serving = asyncio.create_task(
        serve(Starlette(lifespan=lifespan), "127.0.0.1", free_port(), on_ready=ready.set)
    )
    await ready.wait()
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)
    await serving
    assert (closed, lines()) == ([True], [])
