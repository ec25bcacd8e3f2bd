"""Manners towards other people's servers: how many mails go to one domain at once, and how fast."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

LONGEST_TURN = timedelta(seconds=2)
"""A mail whose turn comes later than this gives its place back to mail for others."""
PENALTY = timedelta(minutes=5)
"""How long a domain that asked us to slow down gets one mail at a time, ten times slower."""


class Gates:
    """`rate` is mails a second to one domain (0: any), `at_once` the transactions with it that may run together."""

    def __init__(self, rate: float, at_once: int) -> None:
        self._pause = timedelta(seconds=1 / rate if rate else 0)
        self._next: dict[str, datetime] = {}
        self._slow: dict[str, datetime] = {}
        self._doors: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))

    def turn(self, domain: str, now: datetime) -> datetime:
        """Reserve the next turn with a domain: `now`, or later; one that is too late is told but not reserved."""
        slow = now < self._slow.get(domain, now) <= now + PENALTY
        slowly = max(self._pause, timedelta(milliseconds=100)) * 10
        at = max(self._next.get(domain, now), now)
        if at - now > LONGEST_TURN + slowly:  # no turn was ever reserved so late: the clock was set back
            at = now
        if at - now > LONGEST_TURN:
            return at
        self._next[domain] = at + (slowly if slow else self._pause)
        if len(self._next) > 10_000:
            self._next = {name: due for name, due in self._next.items() if due > now}
        return at

    def slow_down(self, domain: str, now: datetime) -> None:
        """The domain asked for less."""
        self._slow[domain] = now + PENALTY

    @asynccontextmanager
    async def through(self, domain: str) -> AsyncIterator[None]:
        """Wait until one more transaction with a domain may run."""
        async with self._doors[domain]:
            yield
