"""Counts the limits that run again by another calendar, from what is on record; nothing else of a case changes. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from contracts.decision import CalendarRef
from contracts.events import CaseDecided, CaseStepped, CaseSteppedData, event_id
from contracts.facts import ReportFacts
from contracts.steps import NETRAL, OPERATOR, Due, Matter, MovedLimit, MoveKind, Said
from services.routing.core.fanout import SOURCE
from services.routing.core.life import Life
from services.routing.core.limits import alarm_of, dues_of
from services.routing.core.parts import acts
from services.routing.core.workdays import WorkCalendar


class Counted(NamedTuple):
    """The matters of a case after the recount, and every limit that moved; without one the matters are as before."""

    matters: tuple[Matter, ...]
    moved: tuple[MovedLimit, ...]


def concerns(matter: Matter, region: str, workdays: WorkCalendar, now: datetime) -> bool:
    """Whether a recount may move something: a limit that runs by another calendar, or an alarm that comes out otherwise."""
    if any(due.calendar != workdays.version and due.over_at > now for due in matter.dues):
        return True
    alarm = matter.alarm
    return alarm is not None and alarm.at > now and alarm_of(alarm.since, region, workdays) != alarm


def recount(
    matters: Sequence[Matter],
    facts: ReportFacts,
    life: Life,
    opened_on: date,
    workdays: WorkCalendar,
    now: datetime,
) -> Counted:
    """Count again what runs at `now` (UTC), for the parts on record; what is over was said and stays as it was counted."""
    after, moved = list[Matter](), list[MovedLimit]()
    for matter in matters:
        acting = [part for part in matter.parts if acts(part)]
        pauses = life.hops[matter.ref].pauses
        fresh = dues_of(acting, facts, opened_on, life.events, matter.ref, workdays, pauses)
        dues = _replaced(matter.dues, fresh, now)
        alarm = matter.alarm
        if alarm and alarm.at > now:
            alarm = alarm_of(alarm.since, facts.region, workdays)
        after.append(matter.model_copy(update={"dues": dues, "alarm": alarm}))
        moved += [
            MovedLimit(
                person=matter.ref, agency=old.agency, office=old.office, was=old.last_day, now=new.last_day
            )
            for old, new in zip(matter.dues, dues, strict=True)
            if old.last_day != new.last_day
        ]
        if alarm and matter.alarm and alarm.last_day != matter.alarm.last_day:
            was = matter.alarm.last_day
            moved.append(
                MovedLimit(person=matter.ref, agency=OPERATOR, office=None, was=was, now=alarm.last_day)
            )
    return Counted(tuple(after) if moved else tuple(matters), tuple(moved))


def _replaced(dues: tuple[Due, ...], fresh: tuple[Due, ...], now: datetime) -> tuple[Due, ...]:
    """The recount of each limit that runs; none where the record has other limits than its parts would give."""
    if [_whose(due) for due in dues] != [_whose(due) for due in fresh]:
        return dues
    return tuple(new if old.over_at > now else old for old, new in zip(dues, fresh, strict=True))


def _whose(due: Due) -> tuple[object, ...]:
    return due.agency, due.office, due.since


def reckoned(
    record: CaseDecided,
    last: CaseStepped | None,
    counted: Counted,
    workdays: WorkCalendar,
    at: datetime,
    on: date,
) -> CaseStepped:
    """The step that says so, by the system; rulebook and day of handling stay those of the record before it."""
    data, decision = record.data, record.data.decision
    number = last.data.number + 1 if last else 1
    reference = CalendarRef(version=workdays.version, digest=workdays.digest)
    return CaseStepped(
        id=event_id(data.case_id, "step", str(number)),
        source=SOURCE,
        subject=str(data.case_id),
        time=at,
        data=CaseSteppedData(
            report_id=data.report_id,
            case_id=data.case_id,
            ticket=data.ticket,
            region=data.region,
            number=number,
            by=NETRAL,
            office=None,
            said=Said(event=MoveKind.RECKON, on=on, calendar=reference, moved=counted.moved),
            rulebook=last.data.rulebook if last else decision.rulebook,
            handled_on=last.data.handled_on if last else decision.handled_on,
            persons=counted.matters,
            link=last.data.link if last else None,
        ),
    )
