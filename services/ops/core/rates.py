"""Turns counters of a series of snapshots into rates and latencies for people. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.ops.core.series import grown, labels_of
from services.ops.core.snapshot import Snapshot

_MAILS = "netral_mail_attempts_total{"
_APART = "netral_reports_apart_total{"
_LOST = "netral_stream_lost_total{"


@dataclass(frozen=True)
class Red:
    """Rate per second, share of errors and the 50th and 99th percentile in seconds (None: nothing happened)."""

    what: str
    rate: float
    errors: float
    p50: float | None
    p99: float | None


def total(snapshot: Snapshot, name: str) -> float:
    """The sum of a counter over all its series."""
    return sum(value for series, value in snapshot.totals.items() if series.startswith(name + "{"))


def rates(past: Sequence[Snapshot], name: str) -> list[float]:
    """The rate per second between each two looks; a counter that began anew counts from nothing."""
    found = []
    for earlier, later in pairwise(past):
        seconds = (later.at - earlier.at).total_seconds()
        before, after = total(earlier, name), total(later, name)
        found.append((after - before if after >= before else after) / seconds if seconds > 0 else 0.0)
    return found


def tried_in_vain(past: Sequence[Snapshot]) -> int:
    """Tries of e-mails since the last one that left, as far as is remembered; who has no address is not tried."""
    found = 0.0
    for earlier, later in reversed(list(pairwise(past))):
        came = grown(earlier.totals, later.totals)
        mails = {labels_of(s).get("netral_outcome"): v for s, v in came.items() if s.startswith(_MAILS)}
        if mails.get("SENT"):
            break
        found += sum(mails.get(state, 0.0) for state in ("PENDING", "UNKNOWN", "FAILED"))
    return round(found)


def apart(came: Mapping[str, float]) -> tuple[str, ...]:
    """Which of vault and stream lacked a report, by what was counted."""
    return _counted(came, _APART, "netral_outcome")


def lost(came: Mapping[str, float]) -> tuple[str, ...]:
    """Which streams did not hold any more what they held, by what was counted."""
    return _counted(came, _LOST, "netral_stream")


def _counted(came: Mapping[str, float], name: str, by: str) -> tuple[str, ...]:
    return tuple(sorted({labels_of(s).get(by, "") for s, n in came.items() if n and s.startswith(name)}))


def red(past: Sequence[Snapshot], name: str, by: str, bad: str, counter: str = "") -> list[Red]:
    """RED by one label over the time remembered; `bad` is the pattern of a series that is an error.

    `counter` counts what the histogram `name` times several of at once.
    """
    if len(past) < 2:
        return []
    seconds = (past[-1].at - past[0].at).total_seconds() or 1.0
    came = grown(past[0].totals, past[-1].totals)
    counts = {s: v for s, v in came.items() if s.startswith((counter or name + "_count") + "{")}
    times = {s: v for s, v in came.items() if s.startswith(name + "_bucket{")}
    keys = sorted({key for s in counts if (key := labels_of(s).get(by))})
    rows = (_red(key, _with(counts, by, key), _with(times, by, key), bad, seconds) for key in keys)
    return [row for row in rows if row.rate > 0]


def _with(series: Mapping[str, float], label: str, value: str) -> dict[str, float]:
    return {s: v for s, v in series.items() if labels_of(s).get(label) == value}


def _red(key: str, counts: Mapping[str, float], times: Mapping[str, float], bad: str, seconds: float) -> Red:
    number = sum(counts.values())
    failed = sum(v for s, v in counts.items() if re.search(bad, s))
    buckets: dict[float, float] = defaultdict(float)
    for series, value in times.items():
        buckets[float(labels_of(series)["le"])] += value
    return Red(
        key,
        number / seconds,
        failed / number if number else 0.0,
        quantile(buckets, 0.5),
        quantile(buckets, 0.99),
    )


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value below which `share` of all lie, straight lines assumed inside a bucket; None for an empty histogram."""
    ordered = sorted(buckets.items())
    if not ordered or not ordered[-1][1]:
        return None
    wanted, low, below = share * ordered[-1][1], 0.0, 0.0
    for bound, count in ordered:
        if count >= wanted:
            inside = count - below
            return (
                low
                if bound == float("inf")
                else low + (bound - low) * ((wanted - below) / inside if inside else 1)
            )
        low, below = bound, count
    return low


def spark(values: Iterable[float], width: int = 240, height: int = 40) -> str:
    """The points of an SVG polyline; the highest value touches the top."""
    points = list(values)
    if len(points) < 2:
        return ""
    top = max(*points, 1e-9)
    step = width / (len(points) - 1)
    return " ".join(f"{i * step:.1f},{height - height * v / top:.1f}" for i, v in enumerate(points))
