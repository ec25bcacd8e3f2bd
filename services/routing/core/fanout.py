"""What follows from a decision: the record of it, one offer for each person and agency, or a case nobody owns yet."""

from collections.abc import Iterator
from datetime import datetime

from contracts.codes import Agency, Role
from contracts.decision import Assignment, Decision, PersonDecision
from contracts.events import (
    CaseDecided,
    CaseDecidedData,
    CaseOffered,
    CaseOfferedData,
    CaseStepped,
    CaseSteppedData,
    CaseUnroutable,
    CaseUnroutableData,
    Event,
    ReportAccepted,
    ReportAcceptedData,
    ReportLinked,
    ReportLinkedData,
    event_id,
)
from contracts.steps import Matter, MoveKind
from services.routing.core.life import Life, Step

SOURCE = "netral/routing"
_NOBODY = (
    "Tidak ada lembaga yang menurut aturan wajib bertindak sekarang; petugas Netral harus memutuskan. / "
    "No rule obliges an agency to act now; an operator of Netral must decide."
)


def decided(
    accepted: ReportAccepted, decision: Decision, at: datetime, persons: tuple[Matter, ...] = ()
) -> CaseDecided:
    """The record of a decision on an accepted report. The first one stored for a case stands."""
    data = accepted.data
    return CaseDecided(
        id=event_id(data.case_id, "decided"),
        source=SOURCE,
        subject=str(data.case_id),
        time=at,
        data=CaseDecidedData(
            report_id=data.report_id,
            case_id=data.case_id,
            ticket=data.ticket,
            region=data.facts.region,
            decision=decision,
            persons=persons,
        ),
    )


def linked(report: ReportAcceptedData | ReportLinkedData, at: datetime) -> ReportLinked:
    """The record that a report belongs to its case, whether it opened the case or came later."""
    return ReportLinked(
        id=event_id(report.report_id, "linked"),
        source=SOURCE,
        subject=str(report.case_id),
        time=at,
        data=ReportLinkedData(report_id=report.report_id, case_id=report.case_id, ticket=report.ticket),
    )


def following(record: CaseDecided) -> list[Event]:
    """The events a recorded decision calls for; made from the record alone, so a repetition makes the same bytes."""
    persons = record.data.decision.persons
    unowned = tuple(person.ref for person in persons if not _somebody_acts(person))
    events: list[Event] = [offer for person in persons for offer in _offers(record, person)]
    return [*events, _unroutable(record, unowned)] if unowned else events


def stepped(record: CaseDecided, step: Step, life: Life, sealed: str | None = None) -> CaseStepped:
    """The record of a step: what was said, and what every person's matter is now."""
    data = record.data
    return CaseStepped(
        id=event_id(data.case_id, "step", str(step.number)),
        source=SOURCE,
        subject=str(data.case_id),
        time=step.at,
        data=CaseSteppedData.model_validate(
            {
                "report_id": data.report_id,
                "case_id": data.case_id,
                "ticket": data.ticket,
                "region": data.region,
                "number": step.number,
                "by": step.by,
                "office": step.office,
                "said": step.said,
                "sealed": sealed,
                "rulebook": life.decision.rulebook,
                "handled_on": life.decision.handled_on,
                "persons": life.matters,
                "link": life.link,
            }
        ),
    )


def newly_offered(record: CaseStepped, before: tuple[Matter, ...]) -> list[Event]:
    """The offers a step makes: one for each person and agency that has a part now and had not before."""
    if record.data.said.event is MoveKind.LINK:
        return []  # whoever had to act may still read; that is no news to write to anybody
    held = {matter.ref: {_part(part) for part in matter.parts if part.active} for matter in before}
    events: list[Event] = []
    for matter in record.data.persons:
        told = held.get(matter.ref, set())
        bodies = {(agency, office) for agency, office, *_ in told}
        fresh = [
            part
            for part in matter.parts
            if part.active
            and _part(part) not in told
            and not (part.role is Role.INFORMATION and (part.agency, part.office) in bodies)
        ]
        for agency in dict.fromkeys(part.agency for part in fresh):
            parts = tuple(part for part in matter.parts if part.agency is agency)
            events.append(_offer(record, matter, agency, parts, record.data.number))
    return events


def _part(part: Assignment) -> tuple[object, ...]:
    return part.agency, part.office, part.role, part.when, part.rule


def _somebody_acts(person: PersonDecision) -> bool:
    return any(part.active and part.role is Role.ACTION for part in person.assignments)


def _offers(record: CaseDecided, person: PersonDecision) -> Iterator[CaseOffered]:
    """One for each agency that has something to do or to know now; it carries all of that agency's parts."""
    told = {part.agency for part in person.assignments if part.active}
    for agency in Agency:
        if agency in told:
            parts = tuple(part for part in person.assignments if part.agency is agency)
            yield _offer(record, person, agency, parts)


def _offer(
    record: CaseDecided | CaseStepped,
    person: PersonDecision | Matter,
    agency: Agency,
    parts: tuple[Assignment, ...],
    step: int = 0,
) -> CaseOffered:
    data = record.data
    return CaseOffered(
        id=event_id(data.case_id, "offered", agency, person.ref, *([str(step)] if step else [])),
        source=SOURCE,
        subject=str(data.case_id),
        time=record.time,
        data=CaseOfferedData(
            report_id=data.report_id,
            case_id=data.case_id,
            ticket=data.ticket,
            region=data.region,
            agency=agency,
            person=person.ref,
            stage=person.stage,
            class_=person.class_,
            assignments=parts,
            step=step,
        ),
    )


def _unroutable(record: CaseDecided, persons: tuple[str, ...]) -> CaseUnroutable:
    data = record.data
    return CaseUnroutable(
        id=event_id(data.case_id, "unroutable"),
        source=SOURCE,
        subject=str(data.case_id),
        time=record.time,
        data=CaseUnroutableData(
            report_id=data.report_id,
            case_id=data.case_id,
            ticket=data.ticket,
            persons=persons,
            reason=_NOBODY,
        ),
    )
