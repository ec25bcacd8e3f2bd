"""Who keeps a door open without asking anything is let go: after a minute, and at once where room is wanted for others.

A connection costs its opener nothing and the door a file; whoever opens many and says nothing would close it for all.
"""

import resource
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from services.runtime.logs import log
from services.runtime.metrics import SILENT, Counted, Instruments

SECONDS = 60.0
"""From the opening of a connection, or the answer before, until a request must be here whole."""
MOST_FILES = 65_536
MOST = 4_096
"""Connections that one process holds."""
_OWN_FILES = 512
"""For databases, brokers, logs and what comes between two looks."""


class Guest(Protocol):
    """A connection; `waits_since` is in the loop's seconds, None while its request is being answered."""

    @property
    def waits_since(self) -> float | None: ...

    def let_go(self) -> None:
        """Close it, with a word if something of a request has come."""


class Leaving(NamedTuple):
    """Whom to let go: for others, and because their time is over."""

    crowded: Sequence[Guest]
    late: Sequence[Guest]


def leaving(guests: Iterable[Guest], now: float, most: int, seconds: float = SECONDS) -> Leaving:
    """Who has waited longest makes room, so that a request that comes at once is never the one to go."""
    everybody = list(guests)
    waiting = sorted(
        ((since, place) for place, guest in enumerate(everybody) if (since := guest.waits_since) is not None)
    )
    over = max(0, len(everybody) - most)
    return Leaving(
        [everybody[place] for _, place in waiting[:over]],
        [everybody[place] for since, place in waiting[over:] if now - since > seconds],
    )


class Crowd:
    """Looks at the connections of a door again and again, and says how many it let go."""

    def __init__(
        self, instruments: Instruments = SILENT, most: int | None = None, seconds: float = SECONDS
    ) -> None:
        self._instruments, self._most, self._seconds = instruments, most or room(), seconds

    def look(self, guests: Iterable[Guest], now: float, log: Callable[..., None] = log) -> None:
        """Let go who is to leave."""
        gone = leaving(guests, now, self._most, self._seconds)
        for why, those in gone._asdict().items():
            for guest in those:
                guest.let_go()
            if those:
                self._instruments.count(Counted.LET_GO, len(those), outcome=why)
                log("door.let_go", level="WARNING", why=why, connections=len(those), most=self._most)


def room() -> int:
    """Connections for which this process has files; it takes as many files as it may, not the 1,024 of a shell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST if soft == resource.RLIM_INFINITY else max(_OWN_FILES // 8, min(MOST, soft - _OWN_FILES))
