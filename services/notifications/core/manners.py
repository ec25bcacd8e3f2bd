"""When a letter is sent: at once, in a digest, after the quiet hours, or with the rest of a burst. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from contracts import regions
from contracts.codes import Role
from services.notifications.core.matrix import LetterKind
from services.notifications.core.notices import Notice

MORNING = time(8)
"""When a daily digest is sent, by the clock of the office."""
BURST = timedelta(minutes=10)
CAPITAL = "kemendagri:31"
"""Whose clock a central office lives by."""


class Pace(StrEnum):
    """How often an office wants what can wait."""

    IMMEDIATELY = "immediately"
    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True)
class Manner:
    """What an office chose; `quiet` are local times between which nothing comes that can wait."""

    pace: Pace = Pace.IMMEDIATELY
    quiet: tuple[time, time] | None = None


@dataclass(frozen=True)
class When:
    """`slot` names the digest it goes into; None: a letter of its own."""

    at: datetime
    slot: str | None = None


def when(notice: Notice, kind: LetterKind, manner: Manner, now: datetime, *, recent: int, burst: int) -> When:
    """When to send a notice recorded `now`; `recent` counts the reader's single letters in the last BURST.

    More than `burst` of them (0: any number) become one digest, whoever the reader is.
    """
    zone = zone_of(notice)
    waits = not must_go(notice, kind)
    if waits and kind.gather and manner.pace is not Pace.IMMEDIATELY:
        at = _next_slot(manner.pace, now, zone)
        return When(at, f"{manner.pace}/{at.isoformat()}")
    if burst and recent >= burst and (kind.gather or kind.optional):
        at = _end_of_burst(now)
        return When(at, f"burst/{at.isoformat()}")
    if waits and manner.quiet:
        return When(_after_quiet(manner.quiet, now, zone))
    return When(now)


def must_go(notice: Notice, kind: LetterKind) -> bool:
    """Whether it cannot wait: an urgent letter, or one that gives somebody a duty to act."""
    return kind.urgent or any(duty.role is Role.ACTION for duty in notice.facts.duties)


def zone_of(notice: Notice) -> ZoneInfo:
    """The clock a reader lives by: of the office's region, of the case's for a reporter, else of the capital."""
    _, _, code = (notice.office or "").partition(":")
    candidates = (f"kemendagri:{code}",) if notice.office else (notice.facts.region,)
    for region in candidates:
        try:
            return regions.zone_of(region)
        except KeyError:
            continue
    return regions.zone_of(CAPITAL)


def _next_slot(pace: Pace, now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    if pace is Pace.HOURLY:
        full = local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return full.astimezone(UTC)
    morning = datetime.combine(local.date(), MORNING, zone)
    return (morning if local < morning else morning + timedelta(days=1)).astimezone(UTC)


def _end_of_burst(now: datetime) -> datetime:
    seconds = int(BURST.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, UTC)


def _after_quiet(quiet: tuple[time, time], now: datetime, zone: ZoneInfo) -> datetime:
    """`now`, or the end of the quiet hours it falls into; they may go over midnight."""
    begin, end = quiet
    local = now.astimezone(zone)
    inside = begin <= local.time() < end if begin < end else local.time() >= begin or local.time() < end
    if not inside:
        return now
    ends = datetime.combine(local.date(), end, zone)
    return (ends if local < ends else ends + timedelta(days=1)).astimezone(UTC)
