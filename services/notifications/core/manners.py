"""When a letter is sent: at once, in a digest, after the quiet hours, or with the rest of a burst. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts import regions
from contracts.codes import Agency, Role
from contracts.directory import WHOLE, Digest, Directory
from services.notifications.core.matrix import LetterKind
from services.notifications.core.notices import Notice

MORNING = time(8)
"""When a daily digest is sent, by the clock of the office."""
BURST = timedelta(minutes=10)
CAPITAL = "kemendagri:31"
"""Whose clock a central office lives by."""


@dataclass(frozen=True)
class Manner:
    """What an office chose and whose clock it lives by (None: that of its region or of the case's).

    `quiet` are local times between which nothing comes that can wait.
    """

    digest: Digest = Digest.NONE
    quiet: tuple[time, time] | None = None
    zone: ZoneInfo | None = None


@dataclass(frozen=True)
class When:
    """`slot` names the digest it goes into; None: a letter of its own."""

    at: datetime
    slot: str | None = None


def when(notice: Notice, kind: LetterKind, manner: Manner, now: datetime, *, recent: int, burst: int) -> When:
    """When to send a notice recorded `now`; `recent` counts the reader's single letters in the last BURST.

    More than `burst` of them (0: any number) become one digest, whoever the reader is.
    """
    zone = manner.zone or zone_of(notice)
    waits = not must_go(notice, kind)
    if waits and kind.gather and manner.digest is not Digest.NONE:
        at = _next_slot(manner.digest, now, zone)
        return When(at, f"{manner.digest.lower()}/{at.isoformat()}")
    if burst and recent >= burst and (kind.gather or kind.optional):
        at = _end_of_burst(now)
        return When(at, f"burst/{at.isoformat()}")
    if waits and manner.quiet:
        return When(_after_quiet(manner.quiet, now, zone))
    return When(now)


def day_of(notice: Notice, now: datetime) -> date:
    """The day it is for the reader of a notice: the directory is asked for this day."""
    return now.astimezone(zone_of(notice)).date()


def read_by(directory: Directory, notice: Notice, now: datetime) -> set[tuple[Agency, str | None]]:
    """The offices that a notice names and that it reaches today: an office that has ended, and its successor."""
    if notice.agency is None:
        return set()
    office = notice.agency, notice.office
    return {office, directory.heir(*office, day_of(notice, now))}


def manner_of(directory: Directory, notice: Notice, now: datetime, quiet: tuple[time, time] | None) -> Manner:
    """What the reader of a notice chose by the directory, and the quiet hours that hold for all.

    The zone of a body as a whole says nothing about an office that is not listed.
    """
    agency = notice.agency
    found = directory.reader(agency, notice.office, day_of(notice, now)) if agency else None
    if found is None:
        return Manner(quiet=quiet)
    place, term = found
    return Manner(term.digest, quiet, None if place.office == WHOLE else ZoneInfo(regions.ZONES[term.zone]))


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


def _next_slot(digest: Digest, now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    if digest is Digest.HOURLY:
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
