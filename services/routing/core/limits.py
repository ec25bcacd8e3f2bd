"""Time limits that run: from which day, to which instant at the place of the event, on which calendar."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from contracts import regions
from contracts.codes import OPENED, DeadlineUnit
from contracts.decision import Assignment, Deadline
from contracts.facts import ReportFacts
from contracts.steps import Due, Heard
from services.routing.core.workdays import WorkCalendar

REMIND_AT = 0.75
"""The part of a time limit after which its holder is reminded."""


def dues_of(
    acting: Iterable[Assignment],
    facts: ReportFacts,
    opened_on: date,
    events: tuple[Heard, ...],
    ref: str,
    workdays: WorkCalendar,
) -> tuple[Due, ...]:
    """One for each part with a deadline; a limit whose event has not happened does not run yet."""
    return tuple(
        _due(part, part.deadline, since, facts.region, workdays)
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


def _due(part: Assignment, deadline: Deadline, since: date, region: str, workdays: WorkCalendar) -> Due:
    """Hours are counted from the end of the day of their event: the log knows days, and the law favours the one who acts."""
    zone = regions.zone_of(region)
    begins = datetime.combine(since + timedelta(1), time(), zone)
    if deadline.unit is DeadlineUnit.HOUR:
        over = begins + timedelta(hours=deadline.count)
        last_day = (over - timedelta(microseconds=1)).date()
    else:
        last_day, _ = workdays.add(since, deadline.count, deadline.unit)
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
