"""Waits for a broker that is there and does not answer for a stream yet."""

import asyncio
from collections.abc import Awaitable, Callable

from services.runtime.bus import BrokerAway
from services.runtime.logs import log

TRIES = 10
PAUSE = 1.0
"""Seconds between two tries."""


async def answered(ask: Callable[[], Awaitable[None]], tries: int = TRIES, pause: float = PAUSE) -> None:
    """Ask what may be asked again, until it is answered. Raises the last BrokerAway: then a person must look.

    At the start of a cluster, and after the death of a leader, a stream answers nobody until its copies have elected one.
    """
    for left in reversed(range(tries)):
        try:
            await ask()
        except BrokerAway as trouble:
            if not left:
                raise
            log("broker.awaited", level="WARNING", reason=str(trouble))
            await asyncio.sleep(pause)
        else:
            return
