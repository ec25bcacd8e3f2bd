"""Time limits that run: from which day, to which instant at the place of the event, on which calendar."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from contracts import regions
from contracts.case_events import DueLevel
from contracts.codes import OPENED, DeadlineUnit
from contracts.decision import Assignment, Deadline
from contracts.facts import ReportFacts
from contracts.steps import OPERATOR, Alarm, Due, Heard, Matter
from services.routing.core.hops import Pause
from services.routing.core.workdays import WorkCalendar

REMIND_AT = 0.75
"""The part of a time limit after which its holder is reminded."""
QUEUE = "QUEUE"
QUEUE_DAYS = 3
"""Working days a matter may stand in the operator's queue; SP4N-LAPOR! forwards within as many."""


class Timer(NamedTuple):
    """An instant (UTC) at which there is something to say; `level` is a DueLevel, or QUEUE for the operator's queue."""

    ref: str
    agency: str
    office: str | None
    last_day: date
    level: str
    at: datetime


def timers_of(matters: Iterable[Matter], opened: datetime) -> tuple[Timer, ...]:
    """Each limit and level once, and the alarms of queues; no reminder where a limit was near before the case opened."""
    found = [
        Timer(matter.ref, due.agency, due.office, due.last_day, level, at)
        for matter in matters
        for due in matter.dues
        for level, at in ((DueLevel.REMINDER, due.remind_at), (DueLevel.OVERDUE, due.over_at))
        if level is DueLevel.OVERDUE or at > opened
    ]
    found += [
        Timer(matter.ref, OPERATOR, None, matter.alarm.last_day, QUEUE, matter.alarm.at)
        for matter in matters
        if matter.alarm
    ]
    return tuple({(t.ref, t.agency, t.last_day, t.level): t for t in found}.values())


def dues_of(
    acting: Iterable[Assignment],
    facts: ReportFacts,
    opened_on: date,
    events: tuple[Heard, ...],
    ref: str,
    workdays: WorkCalendar,
    pauses: Sequence[Pause] = (),
) -> tuple[Due, ...]:
    """One for each part with a deadline; a limit whose event has not happened does not run yet.

    While a file was returned no limit ran; afterwards the rest of its days is left.
    """
    return tuple(
        _due(part, part.deadline, since, facts.region, workdays, pauses)
        for part in acting
        if part.deadline and (since := _since(part.deadline, facts, opened_on, events, ref))
    )


def _since(
    deadline: Deadline, facts: ReportFacts, opened_on: date, events: tuple[Heard, ...], ref: str
) -> date | None:
    known = {"KNOWN": facts.known_on, "REPORTED": facts.reported_on, OPENED: opened_on}
    if deadline.since in known:
        return known[deadline.since]
    days = [e.on for e in events if e.event == deadline.since and e.person in (None, ref)]
    return max(days, default=None)


def _due(
    part: Assignment,
    deadline: Deadline,
    since: date,
    region: str,
    workdays: WorkCalendar,
    pauses: Sequence[Pause],
) -> Due:
    """Hours are counted from the end of the day of their event: the log knows days, and the law favours the one who acts."""
    zone = regions.zone_of(region)
    begins = datetime.combine(since + timedelta(1), time(), zone)
    if deadline.unit is DeadlineUnit.HOUR:
        stood = sum((p.until - p.since for p in pauses if p.until and p.since >= since), timedelta())
        over = begins + timedelta(hours=deadline.count) + stood
        last_day = (over - timedelta(microseconds=1)).date()
    else:
        last_day = _last_day(since, deadline, workdays, pauses)
        over = datetime.combine(last_day + timedelta(1), time(), zone)
    return Due(
        agency=part.agency,
        office=part.office,
        since=since,
        last_day=last_day,
        remind_at=(begins + (over - begins) * REMIND_AT).astimezone(UTC),
        over_at=over.astimezone(UTC),
        calendar=workdays.version,
    )


def _last_day(since: date, deadline: Deadline, workdays: WorkCalendar, pauses: Sequence[Pause]) -> date:
    """The day of the return is not used up and the day it comes back is not counted."""
    start, rest = since, deadline.count
    for pause in pauses:
        if pause.until is None or pause.since < start:
            continue
        full, _ = workdays.add(start, rest, deadline.unit)
        if full < pause.since:
            break
        rest -= workdays.between(start, pause.since - timedelta(1), deadline.unit)
        start = pause.until
    return workdays.add(start, rest, deadline.unit)[0]


def alarm_of(since: date, region: str, workdays: WorkCalendar) -> Alarm:
    """When a matter that stands in the operator's queue since a day has waited too long there."""
    last_day, _ = workdays.add(since, QUEUE_DAYS, DeadlineUnit.WORKING_DAY)
    over = datetime.combine(last_day + timedelta(1), time(), regions.zone_of(region))
    return Alarm(since=since, last_day=last_day, at=over.astimezone(UTC))
