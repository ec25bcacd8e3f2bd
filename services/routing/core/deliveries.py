"""What follows from one attempt to deliver: when again, and what a human must hear; the schedule and the breaker.

The schedule is that of Standard Webhooks: ten attempts over 75 h 35 min 5 s, each pause up to a fifth shorter or longer.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""The pause before the first, second, … attempt."""
JITTER = 0.2
BUSY_PAUSE = timedelta(seconds=60)
"""The shortest pause after an answer that says the receiver is overloaded, and after a time-out."""
OURS_PAUSE = timedelta(seconds=60)
SUSPEND_AFTER = timedelta(days=5)


class Verdict(StrEnum):
    """DELIVERED: 2xx. BUSY: 429, 502, 504, time-out. GONE: 410. REFUSED: another 4xx. FAILED: 5xx, 3xx, no connection.
    FORBIDDEN: the guard says no. OURS: this machine could not try.
    """

    DELIVERED = "DELIVERED"
    BUSY = "BUSY"
    GONE = "GONE"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    FORBIDDEN = "FORBIDDEN"
    OURS = "OURS"


class State(StrEnum):
    """HELD: nothing is tried until somebody says so, and nothing is thrown away."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    DELIVERED = "DELIVERED"
    HELD = "HELD"


@dataclass(frozen=True)
class Outcome:
    """`code` is the status or a word such as `timeout`; `retry_after` is in seconds."""

    verdict: Verdict
    code: str
    retry_after: float | None = None


@dataclass(frozen=True)
class Next:
    """What becomes of a delivery; `at` is None when no attempt follows by itself."""

    state: State
    spent: int
    at: datetime | None = None


def outcome_of(status: int, retry_after: float | None = None) -> Outcome:
    """The outcome an HTTP status stands for. A redirection is a failure: it is never followed."""
    if 200 <= status < 300:
        return Outcome(Verdict.DELIVERED, str(status))
    if status in (429, 502, 504):
        return Outcome(Verdict.BUSY, str(status), retry_after)
    if status == 410:
        return Outcome(Verdict.GONE, str(status))
    verdict = Verdict.REFUSED if 400 <= status < 500 else Verdict.FAILED
    return Outcome(verdict, str(status), retry_after)


def after(outcome: Outcome, spent: int, delivery_id: str, now: datetime, *, probe: bool = False) -> Next:
    """The step after an attempt; `spent` counts those of the schedule before it. A failed probe spends none."""
    if outcome.verdict is Verdict.DELIVERED:
        return Next(State.DELIVERED, spent + 1)
    if outcome.verdict is Verdict.OURS:
        return Next(State.PENDING, spent, now + OURS_PAUSE)
    if outcome.verdict is Verdict.GONE:
        return Next(State.HELD, spent + 1)
    if probe:
        return Next(State.PENDING, spent, now)
    if spent + 1 >= len(SCHEDULE):
        return Next(State.HELD, spent + 1)
    return Next(State.PENDING, spent + 1, now + pause(outcome, spent + 1, delivery_id))


def pause(outcome: Outcome, spent: int, delivery_id: str) -> timedelta:
    """The pause after `spent` attempts: of the schedule, spread by the id, at least a minute for whoever is busy.

    `Retry-After` counts between this pause and twice of it.
    """
    base = SCHEDULE[spent] * (1 + JITTER * _spread(delivery_id, spent))
    if outcome.verdict is Verdict.BUSY:
        base = max(base, BUSY_PAUSE)
    if outcome.retry_after is None:
        return base
    return min(max(base, timedelta(seconds=outcome.retry_after)), 2 * base)


def _spread(delivery_id: str, spent: int) -> float:
    """A number from -1 to 1 that is always the same for one pause of one delivery."""
    seed = hashlib.sha256(f"{delivery_id}/{spent}".encode()).digest()
    return int.from_bytes(seed[:4], "big") / 2**31 - 1
