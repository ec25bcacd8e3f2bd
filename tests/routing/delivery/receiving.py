"""Serves simulated receivers in the loop of a test, in the clear or with a certificate of a name."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from deploy.local.receivers import Receivers
from tests.ports import free_port
from tests.running import until


@asynccontextmanager
async def served(
    receivers: Receivers, tls: ssl.SSLContext | None = None, port: int | None = None
) -> AsyncIterator[int]:
    """The port they are served on."""
    port = port or free_port()
    config = uvicorn.Config(
        receivers.app(),
        port=port,
        log_level="critical",
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    config.load()
    if tls:
        config.ssl = tls
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())

    async def started() -> bool:
        return server.started

    await until(started)
    try:
        yield port
    finally:
        server.should_exit = server.force_exit = True
        await task
