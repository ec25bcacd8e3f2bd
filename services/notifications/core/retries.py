"""What follows from the answer to one try: again, when, or never."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.notifications.core.notices import State

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200))
"""The pause after the first, second, … try that ended so; the last one repeats."""
ROAD_CLOSED = timedelta(minutes=1)
"""The longest pause while no mail at all can be handed over: that is nothing this notice must wait for."""
THROTTLE = timedelta(minutes=1)
"""The shortest pause after a server said that we are too fast."""
PATIENCE = timedelta(days=3)
"""A reader's server that says `later` is asked again for so long."""
LEAST = len(BACK_OFF)
"""And so often at least, however old the mail: after a long outage of ours the first `later` may be greylisting."""
MOST_DOUBTS = 3
"""Each doubtful try may have been a copy in the reader's inbox; after more than these a person looks."""


class Verdict(StrEnum):
    """ACCEPTED by the server for good; REFUSED for this reader for good; DEFERRED: later, says the server about this
    mail; THROTTLED: we are too fast for it; UNREACHED: no mail can be handed over now; DELAYED: the address cannot be
    had now; UNCERTAIN: lost after the final dot; NOBODY: there is no address; REFUSED_BY_READER: optional mail to a
    reader who wants none.
    """

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    DEFERRED = "DEFERRED"
    THROTTLED = "THROTTLED"
    UNREACHED = "UNREACHED"
    DELAYED = "DELAYED"
    UNCERTAIN = "UNCERTAIN"
    NOBODY = "NOBODY"
    REFUSED_BY_READER = "REFUSED_BY_READER"


_FINAL = {
    Verdict.ACCEPTED: State.SENT,
    Verdict.REFUSED: State.FAILED,
    Verdict.NOBODY: State.SKIPPED,
    Verdict.REFUSED_BY_READER: State.SUPPRESSED,
}


@dataclass(frozen=True)
class Answer:
    """`code` is the reply code or a word such as `timeout`; never the server's text, which may hold an address."""

    verdict: Verdict
    code: str


@dataclass(frozen=True)
class Tried:
    """A notice as it stands after its latest try.

    `doubts` counts tries of unknown outcome, `deferrals` those that a server answered with `later`.
    """

    notice_id: UUID
    attempts: int
    doubts: int
    created_at: datetime
    deferrals: int = 0


@dataclass(frozen=True)
class Step:
    """What the ledger records; `next_attempt_at` is None when the notice is final."""

    state: State
    code: str
    next_attempt_at: datetime | None = None
    doubts: int = 0
    deferrals: int = 0


def after(answer: Answer, tried: Tried, now: datetime, hold: timedelta) -> Step:
    """The step that follows from an answer; `hold` is the shortest pause after an unknown outcome."""
    known = Step(State.PENDING, answer.code, None, tried.doubts, tried.deferrals)
    match answer.verdict:
        case Verdict.UNREACHED | Verdict.DELAYED:
            wait = min(pause(tried.notice_id, tried.attempts), ROAD_CLOSED)
            return replace(known, next_attempt_at=now + wait)
        case Verdict.UNCERTAIN:
            return _doubt(known, tried, now, hold)
        case Verdict.DEFERRED:
            return _later(known, tried, now, shortest=timedelta())
        case Verdict.THROTTLED:
            return _later(known, tried, now, shortest=THROTTLE)
        case final:
            return replace(known, state=_FINAL[final])


def pause(notice_id: UUID, attempts: int) -> timedelta:
    """The pause after the `attempts`-th try, up to a tenth longer: a herd of notices comes back spread out."""
    seed = hashlib.sha256(f"{notice_id}/{attempts}".encode()).digest()
    spread = int.from_bytes(seed[:4], "big") / 2**32
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1] * (1 + spread / 10)


def _later(known: Step, tried: Tried, now: datetime, shortest: timedelta) -> Step:
    """The step after a server said `later`; its pause grows with such answers alone."""
    if now - tried.created_at > PATIENCE and tried.deferrals >= LEAST:
        return replace(known, state=State.FAILED)
    deferrals = tried.deferrals + 1
    wait = max(pause(tried.notice_id, deferrals), shortest)
    return replace(known, next_attempt_at=now + wait, deferrals=deferrals)


def _doubt(known: Step, tried: Tried, now: datetime, hold: timedelta) -> Step:
    """The step after an unknown outcome; its pause grows with the doubts, not with the tries that never began."""
    doubts = tried.doubts + 1
    if doubts > MOST_DOUBTS:
        return replace(known, state=State.FAILED, doubts=doubts)
    at = now + max(pause(tried.notice_id, doubts), hold)
    return replace(known, state=State.UNKNOWN, next_attempt_at=at, doubts=doubts)
