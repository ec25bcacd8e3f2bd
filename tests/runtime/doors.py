"""A door of one handler, served as our services are."""

import asyncio
import signal
from contextlib import asynccontextmanager
from os import getpid, kill

from starlette.applications import Starlette
from starlette.routing import Route

from services.runtime.serving import serve
from tests.ports import free_port


@asynccontextmanager
async def served(answer, crowd=None):
    """The port at which `answer`, of a request, is served until the block ends."""
    app = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
    ready, port = asyncio.Event(), free_port()
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, on_ready=ready.set, crowd=crowd))
    await ready.wait()
    try:
        yield port
    finally:
        kill(getpid(), signal.SIGTERM)
        await serving
