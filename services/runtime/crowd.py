"""Who keeps a door open without asking anything is let go: after a minute, and at once where room is wanted for others.

A connection costs its opener nothing and the door a file; whoever opens many and says nothing would close it for all.
"""

import resource
from collections import Counter
from collections.abc import Iterable, Sequence
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
    """A connection; `waits_since` and `now` are in the loop's seconds, None stands for a request that is being answered."""

    def waits_since(self, now: float) -> float | None: ...

    def let_go(self) -> None:
        """Close it, with a word if something of a request has come."""


class Leaving(NamedTuple):
    """Whom to let go: for others, and because their time is over."""

    crowded: Sequence[Guest]
    late: Sequence[Guest]


def leaving(guests: Iterable[Guest], now: float, most: int, seconds: float = SECONDS) -> Leaving:
    """Who has waited longest makes room, so that a request that comes at once is hardly ever the one to go.

    Room is made for a twentieth more, so that a crowd is not looked through for each who comes.
    """
    everybody = list(guests)
    waiting = sorted(
        (since, place)
        for place, guest in enumerate(everybody)
        if (since := guest.waits_since(now)) is not None
    )
    over = len(everybody) - most + most // 20 if len(everybody) > most else 0
    return Leaving(
        [everybody[place] for _, place in waiting[:over]],
        [everybody[place] for since, place in waiting[over:] if now - since > seconds],
    )


class Crowd:
    """Looks at the connections of a door again and again, and says how many it let go; it holds at most `most`."""

    def __init__(
        self, instruments: Instruments = SILENT, most: int | None = None, seconds: float = SECONDS
    ) -> None:
        self._instruments, self.most, self._seconds = instruments, most or room(), seconds
        self._untold, self._told_at = Counter[str](), 0.0

    def look(self, guests: Iterable[Guest], now: float) -> None:
        """Let go who is to leave; what became of them is logged once a second, however many come."""
        gone = leaving(guests, now, self.most, self._seconds)
        for why, those in gone._asdict().items():
            for guest in those:
                guest.let_go()
            if those:
                self._instruments.count(Counted.LET_GO, len(those), outcome=why)
                self._untold[why] += len(those)
        if self._untold and now - self._told_at >= 1:
            for why, number in self._untold.items():
                log("door.let_go", level="WARNING", why=why, connections=number, most=self.most)
            self._untold.clear()
            self._told_at = now


def room() -> int:
    """Connections for which this process has files; it takes as many files as it may, not the 1,024 of a shell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST if soft == resource.RLIM_INFINITY else max(_OWN_FILES // 8, min(MOST, soft - _OWN_FILES))
