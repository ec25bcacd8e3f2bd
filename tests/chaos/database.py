"""What befalls a PostgreSQL server, each for some seconds."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.chaos.acts import insist
from tests.postgres import PostgresServer


async def crash(server: PostgresServer, _lasts: float) -> None:
    """All its connections end without a word."""
    await asyncio.to_thread(server.crash)


async def hang(server: PostgresServer, lasts: float) -> None:
    """It answers nobody."""
    with server.hanging():
        await asyncio.sleep(lasts)


async def demote(server: PostgresServer, lasts: float) -> None:
    """It becomes a standby: it can be read, and refuses what is written."""
    await insist(lambda: asyncio.to_thread(server.demote))
    await asyncio.sleep(lasts)
    await insist(lambda: asyncio.to_thread(server.promote))


DEEDS: dict[str, Callable[[PostgresServer, float], Awaitable[None]]] = {
    "crash": crash,
    "hang": hang,
    "demote": demote,
}
