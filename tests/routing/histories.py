"""Whole lives of cases as the events of the log, played by the pure core."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from contracts.codes import Agency
from contracts.door import read_report
from contracts.events import (
    CaseDecided,
    CaseDue,
    CaseDueData,
    CaseStepped,
    DueLevel,
    Event,
    ReportAccepted,
    ReportAcceptedData,
    event_id,
)
from contracts.facts import facts_of
from contracts.ids import case_id_of
from contracts.steps import Said
from services.routing.core.decide import Judge
from services.routing.core.fanout import decided, following, linked, newly_offered, stepped
from services.routing.core.life import Step, life_of
from tests.builders import TODAY, a_report

OPENED = date(2024, 10, 31)
Spoken = tuple[Any, ...]
"""Who says which event with which result, on which day after the opening; a fifth part holds more fields."""

BREACH: Spoken = ("BAWASLU", "STUDY_CONCLUDED", "BREACH", 4)
RECOMMENDED: Spoken = ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", 11)
SILENT: Spoken = ("NETRAL", "PPK_CONCLUDED", "SILENT", 40)
SANCTIONED: Spoken = ("PPK", "PPK_CONCLUDED", "SANCTIONED", 45)


def undone(step: int, day: int, by: str) -> Spoken:
    return (by, "VOID", None, day, {"step": step})


def history(judge: Judge, number: int, *said: Spoken, **changed: Any) -> list[Event]:
    """The events of one case in their order: its opening, its steps with their offers, and every limit that was said."""
    facts = facts_of(read_report(a_report(**changed), TODAY), OPENED)
    report_id = UUID(int=number)
    data = ReportAcceptedData(
        report_id=report_id, case_id=case_id_of(report_id), ticket=f"NTR-{number:04}", facts=facts
    )
    at = _instant(0)
    accepted = ReportAccepted(
        id=event_id(report_id, "accepted"), source="netral/intake", subject=str(report_id), time=at, data=data
    )
    life = life_of(facts, OPENED, (), (), judge)
    record = decided(accepted, life.decision, at, life.matters)
    events: list[Event] = [record, *following(record), linked(accepted.data, at)]
    steps: list[Step] = []
    for by, event, result, day, *more in said:
        on = OPENED + timedelta(day)
        words = Said.model_validate({"event": event, "result": result, "on": on, **(more[0] if more else {})})
        step = Step(len(steps) + 1, _instant(day), by, None, words)
        steps.append(step)
        after = life_of(facts, OPENED, [s.said.on for s in steps], steps, judge)
        told = stepped(record, step, after)
        events += [told, *newly_offered(told, life.matters)]
        life = after
    return [*events, *_limits(record, events)]


def _instant(day: int) -> datetime:
    return datetime.combine(OPENED + timedelta(day), time(3), UTC)


def _limits(record: CaseDecided, events: list[Event]) -> list[Event]:
    """One event for every limit that ever ran, in its order."""
    found: dict[UUID, Event] = {}
    for event in events:
        if not isinstance(event, CaseDecided | CaseStepped):
            continue
        for matter in event.data.persons:
            for due in matter.dues:
                for level, at in ((DueLevel.REMINDER, due.remind_at), (DueLevel.OVERDUE, due.over_at)):
                    told = _limit(record, matter.ref, due.agency, due.office, level, due.last_day, at)
                    found[UUID(str(told.id))] = told
    return list(found.values())


def _limit(
    record: CaseDecided,
    ref: str,
    agency: Agency,
    office: str | None,
    level: DueLevel,
    day: date,
    at: datetime,
) -> CaseDue:
    data = record.data
    told = CaseDueData(
        case_id=data.case_id,
        ticket=data.ticket,
        region=data.region,
        person=ref,
        agency=agency,
        office=office,
        level=level,
        last_day=day,
    )
    return CaseDue(
        id=event_id(data.case_id, "due", ref, agency, str(day), level),
        source="netral/routing",
        subject=str(data.case_id),
        time=at,
        data=told,
    )
