"""The health of one endpoint: since when it only fails, whether its breaker is open, and what a human must hear of it.

While the breaker is open nothing is spent: deliveries wait, and one of them probes from time to time. Alarms are raised
on transitions only, once for each spell of failures.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.webhooks import AlarmKind
from services.routing.core.deliveries import SUSPEND_AFTER, Outcome, State, Verdict

WINDOW = timedelta(minutes=5)
BUCKET = timedelta(seconds=30)
LEAST_REQUESTS = 10
OPEN_AT = 0.7
"""The share of failures in the window, of at least so many requests, that opens the breaker."""
PROBE_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300))
"""Before the first, second, … probe; the last one repeats."""
_RAISES = {
    Verdict.GONE: AlarmKind.GONE,
    Verdict.REFUSED: AlarmKind.REFUSED,
    Verdict.FORBIDDEN: AlarmKind.FORBIDDEN,
}
Bucket = tuple[int, int, int]
"""Start (seconds of the epoch), requests, failures."""


@dataclass(frozen=True)
class Health:
    """`probe_at` is set while the breaker is open: then one attempt may be made. `raised` holds this spell's alarms."""

    failing_since: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0
    buckets: tuple[Bucket, ...] = ()
    raised: frozenset[AlarmKind] = frozenset()

    @property
    def open(self) -> bool:
        return self.probe_at is not None

    def waits(self, now: datetime) -> bool:
        """Whether no attempt may be made yet; a probe later than any pause was planned by a clock that ran ahead."""
        return self.probe_at is not None and now < self.probe_at <= now + PROBE_PAUSES[-1]


def seen(health: Health, outcome: Outcome, state: State, now: datetime, *, probe: bool = False) -> Health:
    """The health after an attempt that left its delivery in `state`. A trouble of ours leaves it as it is."""
    if outcome.verdict is Verdict.OURS:
        return replace(health, probe_at=now + PROBE_PAUSES[0]) if probe and health.open else health
    good = outcome.verdict is Verdict.DELIVERED
    buckets = _counted(health.buckets, good, now)
    if good and (probe or not health.open):
        return Health(buckets=() if probe else buckets)
    if good:
        return replace(health, buckets=buckets)
    found = replace(health, failing_since=health.failing_since or now, buckets=buckets)
    found = _breaker(found, now, probe=probe)
    alarms = {_RAISES.get(outcome.verdict), AlarmKind.HELD if state is State.HELD else None}
    alarms.add(AlarmKind.PARKED if found.open else None)
    return replace(found, raised=found.raised | {alarm for alarm in alarms if alarm})


def suspended(health: Health, now: datetime) -> bool:
    """Whether an endpoint has only failed for so long that trying must stop until somebody says otherwise."""
    return health.failing_since is not None and now - health.failing_since >= SUSPEND_AFTER


def _breaker(health: Health, now: datetime, *, probe: bool) -> Health:
    if health.open:
        if not probe:
            return health
        pause = PROBE_PAUSES[min(health.probes + 1, len(PROBE_PAUSES) - 1)]
        return replace(health, probe_at=now + pause, probes=health.probes + 1)
    requests = sum(bucket[1] for bucket in health.buckets)
    failures = sum(bucket[2] for bucket in health.buckets)
    if requests >= LEAST_REQUESTS and failures >= OPEN_AT * requests:
        return replace(health, probe_at=now + PROBE_PAUSES[0], probes=0)
    return health


def _counted(buckets: tuple[Bucket, ...], good: bool, now: datetime) -> tuple[Bucket, ...]:
    """The window with one more request in it."""
    width = int(BUCKET.total_seconds())
    start = int(now.timestamp()) // width * width
    oldest = now.timestamp() - WINDOW.total_seconds()
    kept = [bucket for bucket in buckets if oldest - width < bucket[0] <= start]
    _, requests, failures = kept.pop() if kept and kept[-1][0] == start else (start, 0, 0)
    return (*kept, (start, requests + 1, failures + (not good)))
