"""Serves an ASGI app with uvicorn inside a running event loop, until the process is told to stop."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Scope

from services.runtime.bounded_http import BoundedHttp, guests
from services.runtime.crowd import Crowd
from services.runtime.settings import BadSettings

GRACE_SECONDS = 5
"""What running requests get to finish in."""
CANNOT_GO_ON = signal.SIGUSR1
"""A service's own word that its work has ended by an error."""
_ENDING = (signal.SIGTERM, signal.SIGINT, CANNOT_GO_ON)


_STATE = "netral.stopping"


class CannotListen(BadSettings):
    """The address cannot be listened on; the text names it, the cause and the cure."""


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    on_ready: Callable[[], Any] | None = None,
    crowd: Crowd | None = None,
) -> int:
    """Serve until SIGTERM, SIGINT or CANNOT_GO_ON arrives, then let running requests finish; the exit code.

    Main thread only. `on_ready` is called once requests are being answered. Start it with `uvloop.run`. Raises CannotListen.
    """
    listening = _bound(host, port)
    crowd = crowd or Crowd()
    server = _Server(_config(app, crowd), on_ready, crowd)
    ended_by = set[int]()

    def end(number: int) -> None:
        ended_by.add(number)
        server.should_exit = True  # not handle_exit, which at a second SIGINT leaves the application as it is

    loop = asyncio.get_running_loop()
    for number in _ENDING:
        loop.add_signal_handler(number, end, number)
    try:
        await server.serve([listening])
    finally:
        listening.close()
        for number in _ENDING:
            loop.remove_signal_handler(number)
    return int(CANNOT_GO_ON in ended_by)


def stopping(scope: Scope) -> bool:
    """Whether the door of this request was told to stop: who only waits for something to happen is better answered now."""
    told: Callable[[], bool] | None = scope.get("state", {}).get(_STATE)
    return told is not None and told()


def _config(app: ASGIApp, crowd: Crowd) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=type("Connection", (BoundedHttp,), {"crowd": crowd}),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], Any] | None, crowd: Crowd) -> None:
        super().__init__(config)
        self._on_ready, self._crowd = on_ready, crowd

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        self._crowd.look(guests(self.server_state.connections), asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state[_STATE] = lambda: self.should_exit
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not uvicorn's, which takes the loop's handlers away and raises the signal again at the end."""
        yield


def _bound(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as problem:
        listening.close()
        cause = os.strerror(problem.errno) if isinstance(problem, OSError) and problem.errno else str(problem)
        raise CannotListen(
            f"{host}:{port}: cannot be listened on ({cause}); stop what uses it, or set another port"
        ) from None
    return listening
