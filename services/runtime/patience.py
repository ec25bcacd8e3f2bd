"""Waits for a broker or database that is there and does not answer for a moment."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from services.runtime.bus import BrokerAway
from services.runtime.logs import log

TRIES = 10
PAUSE = 1.0
"""Seconds between two tries."""


async def answered(ask: Callable[[], Awaitable[None]], tries: int = TRIES, pause: float = PAUSE) -> None:
    """Ask what may be asked again, until it is answered. Raises the last BrokerAway or SQLAlchemyError.

    At the start of a cluster, and after the death of a leader, a stream answers nobody until its copies have elected one.
    """
    for left in reversed(range(tries)):
        try:
            await ask()
        except (BrokerAway, SQLAlchemyError) as trouble:
            if not left:
                raise
            reason = str(trouble) if isinstance(trouble, BrokerAway) else type(trouble).__name__
            log("start.awaits", level="WARNING", reason=reason)
            await asyncio.sleep(pause)
        else:
            return
