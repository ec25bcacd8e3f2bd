"""Which event makes which notices, by the stakeholder matrix. Pure; it runs on paper."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from contracts.codes import OPENED, Agency, ProgressEvent, Role
from contracts.decision import Assignment
from contracts.events import (
    Audience,
    CaseDecided,
    CaseDue,
    CaseOffered,
    CaseStepped,
    CaseSteppedData,
    NoticeStep,
    ReportAccepted,
    ReportLinked,
)
from contracts.ids import case_id_of
from services.notifications.core.matrix import Matrix, To, event_of
from services.notifications.core.notices import (
    LIMITS,
    Addressee,
    Duty,
    Facts,
    Notice,
    notice_id,
    ordered,
)

Office = tuple[Agency, str | None]
ASKED = "case.transferred"
"""The rule by which a part names the office that routing found for a body asked without one."""


class Reporter(NamedTuple):
    """A report of a case, and the ticket its reporter knows."""

    report_id: UUID
    ticket: str


def on_accepted(event: ReportAccepted, matrix: Matrix) -> list[Notice]:
    """The reporter hears that the report was received."""
    data = event.data
    letter = matrix.letter_of("ACCEPTED", To.REPORTER)
    if letter is None:
        return []
    facts = Facts(
        ticket=data.ticket,
        region=data.facts.region,
        letter=letter,
        edition=matrix.edition,
        received_at=event.time,
    )
    return [_to_reporter(data.case_id, data.report_id, NoticeStep.RECEIVED, facts)]


def on_decided(event: CaseDecided, matrix: Matrix) -> list[Notice]:
    """The reporter whose report opened the case hears who holds it now."""
    return _routed(event, Reporter(event.data.report_id, event.data.ticket), matrix)


def on_linked(event: ReportLinked, record: CaseDecided, matrix: Matrix) -> list[Notice]:
    """Each reporter hears who holds the case now; for the first it is the notice of the decision itself."""
    return _routed(record, Reporter(event.data.report_id, event.data.ticket), matrix)


def on_offered(event: CaseOffered, matrix: Matrix) -> list[Notice]:
    """Each office with a part from now on hears of the case: of 56 persons in one case the id is the same."""
    data = event.data
    letter = matrix.letter_of("OFFERED", To.HOLDER)
    active = [a for a in data.assignments if _holds(a)]
    offices = dict.fromkeys(a.office for a in active) if letter else ()
    return [
        _to_office(
            data.case_id,
            data.report_id,
            (data.agency, office),
            data.step,
            Facts(
                ticket=data.ticket,
                region=data.region,
                letter=letter,
                edition=matrix.edition,
                duties=_duties(a for a in active if a.office == office),
            ),
        )
        for office in offices
    ]


def on_stepped(event: CaseStepped, reporters: Iterable[Reporter], matrix: Matrix) -> list[Notice]:
    """Reporters and offices hear what became of the case; an office with a new part hears of both in one letter."""
    data = event.data
    name = event_of(data.said)
    found: dict[UUID, Notice] = {}
    for row in matrix.rows(name):
        facts = Facts(
            ticket=data.ticket, region=data.region, letter=row.letter, event=name, edition=matrix.edition
        )
        if row.to is To.REPORTER:
            heard = _said_of_another(data)
            told = [] if heard else [_to_reporter_of_step(data, reporter, facts) for reporter in reporters]
        else:
            offices = [office for office in _offices(row.to, data) if office != (data.by, data.office)]
            told = [
                _to_office(data.case_id, data.report_id, office, data.number, facts) for office in offices
            ]
        for notice in told:
            found.setdefault(notice.notice_id, notice)
    return list(found.values())


def _said_of_another(data: CaseSteppedData) -> bool:
    """Whether a reporter heard the same already: letters never say whom they are about, and a case may have 56 persons."""
    if data.said.person is None or not isinstance(data.said.event, ProgressEvent):
        return False
    others = {matter.state for matter in data.persons if matter.ref != data.said.person}
    return any(matter.state in others for matter in data.persons if matter.ref == data.said.person)


def on_due(event: CaseDue, report_id: UUID, matrix: Matrix) -> list[Notice]:
    """The office whose time limit is near or over hears of it, once for the persons who share it."""
    data = event.data
    letter = matrix.letter_of(data.level, To.HOLDER)
    if letter is None:
        return []
    step = NoticeStep(data.level)
    facts = Facts(
        ticket=data.ticket,
        region=data.region,
        letter=letter,
        event=data.level,
        edition=matrix.edition,
        last_day=data.last_day,
    )
    return [
        Notice(
            notice_id=notice_id(data.case_id, step, data.agency, data.office, str(data.last_day)),
            case_id=data.case_id,
            report_id=report_id,
            step=step,
            audience=Audience.AGENCY,
            agency=data.agency,
            office=data.office,
            place=LIMITS,
            facts=facts,
        )
    ]


def _routed(record: CaseDecided, reporter: Reporter, matrix: Matrix) -> list[Notice]:
    data = record.data
    letter = matrix.letter_of("DECIDED", To.REPORTER)
    if letter is None:
        return []
    active = [a for person in data.decision.persons for a in person.assignments if _holds(a)]
    facts = Facts(
        ticket=reporter.ticket,
        region=data.region,
        letter=letter,
        edition=matrix.edition,
        addressees=_addressees(active),
    )
    return [_to_reporter(data.case_id, reporter.report_id, NoticeStep.ROUTED, facts)]


def _to_reporter(case_id: UUID, report_id: UUID, step: NoticeStep, facts: Facts) -> Notice:
    return Notice(
        notice_id=notice_id(case_id_of(report_id), step),
        case_id=case_id,
        report_id=report_id,
        step=step,
        audience=Audience.REPORTER,
        place=0 if step is NoticeStep.RECEIVED else 1,
        facts=facts,
    )


def _to_reporter_of_step(data: CaseSteppedData, reporter: Reporter, facts: Facts) -> Notice:
    return Notice(
        notice_id=notice_id(case_id_of(reporter.report_id), NoticeStep.STEPPED, None, None, str(data.number)),
        case_id=data.case_id,
        report_id=reporter.report_id,
        step=NoticeStep.STEPPED,
        audience=Audience.REPORTER,
        place=1 + data.number,
        facts=facts.model_copy(update={"ticket": reporter.ticket}),
    )


def _to_office(case_id: UUID, report_id: UUID, reader: Office, number: int, facts: Facts) -> Notice:
    """A notice of the opening (number 0) or of a step: whatever an office is told at one step is one notice."""
    step = NoticeStep.STEPPED if number else NoticeStep.OFFERED
    more = (str(number),) if number else ()
    return Notice(
        notice_id=notice_id(case_id, step, *reader, *more),
        case_id=case_id,
        report_id=report_id,
        step=step,
        audience=Audience.AGENCY,
        agency=reader[0],
        office=reader[1],
        place=1 + number,
        facts=facts,
    )


def _offices(to: To, data: CaseSteppedData) -> Iterator[Office]:
    about = [matter for matter in data.persons if data.said.person in (None, matter.ref)]
    match to:
        case To.OWNER:
            for matter in about:
                if matter.owner and matter.owner.agency != "OPERATOR":
                    yield matter.owner.agency, matter.owner.office
        case To.ASKED if data.said.to:
            asked = [p.office for m in about for p in m.parts if p.agency == data.said.to and p.rule == ASKED]
            yield data.said.to, data.said.office or next(iter(asked), None)
        case To.ACTING | To.INFORMED:
            for part in (part for matter in about for part in matter.parts if part.active):
                if (part.role is Role.ACTION) is (to is To.ACTING):
                    yield part.agency, part.office


def _holds(assignment: Assignment) -> bool:
    """Whether a part is its holder's now; an unmarked decision is one at the opening."""
    return assignment.when == OPENED if assignment.active is None else assignment.active


def _duties(assignments: Iterable[Assignment]) -> tuple[Duty, ...]:
    return ordered(Duty(role=a.role, basis=a.basis, deadline=a.deadline) for a in assignments)


def _addressees(assignments: list[Assignment]) -> tuple[Addressee, ...]:
    acting = {(a.agency, a.office) for a in assignments if a.role is Role.ACTION}
    offices = dict.fromkeys((a.agency, a.office) for a in assignments)
    return tuple(
        Addressee(agency=agency, office=office, acts=(agency, office) in acting) for agency, office in offices
    )
