"""Which event makes which notices. One notice is one e-mail to one reader about one step of one case."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.codes import OPENED, Agency, Role
from contracts.decision import Assignment, Deadline, Part
from contracts.events import (
    Audience,
    CaseDecided,
    CaseOffered,
    NoticeOutcome,
    NoticeSent,
    NoticeSentData,
    NoticeStep,
    ReportAccepted,
    ReportLinked,
    event_id,
)
from contracts.ids import case_id_of, derived_id

_FIRST = {Audience.REPORTER: NoticeStep.RECEIVED, Audience.AGENCY: NoticeStep.OFFERED}
"""The step whose mail opens the thread of a reader in a case."""
_RANK = {Role.ACTION: 0, Role.COPY: 1, Role.INFORMATION: 2}


class State(StrEnum):
    """PENDING and UNKNOWN wait, SENDING is claimed; the others are final, SKIPPED: there is nobody to write to."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    SENT = "SENT"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class Duty(Part):
    """What an office has to do or may know now, on whose authority, until when."""

    role: Role
    basis: tuple[str, ...]
    deadline: Deadline | None


class Addressee(Part):
    """An office that holds the case now; `acts` tells whether it has to do something."""

    agency: Agency
    office: str | None
    acts: bool


class Facts(Part):
    """Everything a letter may say: codes, ids and dates. `received_at` is UTC."""

    ticket: str
    region: str
    received_at: datetime | None = None
    duties: tuple[Duty, ...] = ()
    addressees: tuple[Addressee, ...] = ()


class Notice(Part):
    notice_id: UUID
    case_id: UUID
    report_id: UUID
    step: NoticeStep
    audience: Audience
    agency: Agency | None = None
    office: str | None = None
    facts: Facts


def on_accepted(event: ReportAccepted) -> Notice:
    """The reporter hears that the report was received."""
    data = event.data
    return Notice(
        notice_id=notice_id(case_id_of(data.report_id), NoticeStep.RECEIVED),
        case_id=data.case_id,
        report_id=data.report_id,
        step=NoticeStep.RECEIVED,
        audience=Audience.REPORTER,
        facts=Facts(ticket=data.ticket, region=data.facts.region, received_at=event.time),
    )


def on_decided(event: CaseDecided) -> Notice:
    """The reporter whose report opened the case hears who holds it now."""
    return _routed(event, event.data.report_id, event.data.ticket)


def on_linked(event: ReportLinked, record: CaseDecided) -> Notice:
    """Each reporter hears who holds the case now; for the first it is the notice of the decision itself."""
    return _routed(record, event.data.report_id, event.data.ticket)


def _routed(record: CaseDecided, report_id: UUID, ticket: str) -> Notice:
    data = record.data
    active = [a for person in data.decision.persons for a in person.assignments if _holds(a)]
    return Notice(
        notice_id=notice_id(case_id_of(report_id), NoticeStep.ROUTED),
        case_id=data.case_id,
        report_id=report_id,
        step=NoticeStep.ROUTED,
        audience=Audience.REPORTER,
        facts=Facts(ticket=ticket, region=data.region, addressees=_addressees(active)),
    )


def on_offered(event: CaseOffered) -> tuple[Notice, ...]:
    """Each office with a part from now on hears of the case: of 56 persons in one case the id is the same."""
    data = event.data
    active = [a for a in data.assignments if _holds(a)]
    return tuple(
        Notice(
            notice_id=notice_id(data.case_id, NoticeStep.OFFERED, data.agency, office, number=data.step),
            case_id=data.case_id,
            report_id=data.report_id,
            step=NoticeStep.OFFERED,
            audience=Audience.AGENCY,
            agency=data.agency,
            office=office,
            facts=Facts(
                ticket=data.ticket,
                region=data.region,
                duties=_duties(a for a in active if a.office == office),
            ),
        )
        for office in dict.fromkeys(a.office for a in active)
    )


def merged(known: Facts, more: Facts) -> Facts:
    """The facts of one notice, heard from two events; the order of hearing does not matter."""
    return known.model_copy(update={"duties": _ordered({*known.duties, *more.duties})})


def notice_id(
    cause: UUID, step: NoticeStep, agency: Agency | None = None, office: str | None = None, number: int = 0
) -> UUID:
    """The id of what one reader is told at one step of a case.

    Its cause is the case for an agency, and for a reporter `case_id_of` the report: a case has many reporters. `number` is
    the step of the case that gave an office a new part; 0 is the opening.
    """
    again = (str(number),) if number else ()
    return derived_id(cause, "notice", step, agency or "-", office or "-", *again)


def message_id(notice: UUID, key: bytes, domain: str) -> str:
    """The Message-ID of a notice: the same on every try, and nobody can guess one or tell a case from it."""
    mac = hmac.digest(key, f"message-id\x00{notice}".encode(), hashlib.sha256)
    return f"<{mac[:16].hex()}@{domain}>"


def thread_root(notice: Notice, key: bytes, domain: str) -> str:
    """The Message-ID of the first mail that this reader gets about this case."""
    cause = case_id_of(notice.report_id) if notice.audience is Audience.REPORTER else notice.case_id
    first = notice_id(cause, _FIRST[notice.audience], notice.agency, notice.office)
    return message_id(first, key, domain)


def told(notice: Notice, state: State, attempts: int, at: datetime) -> NoticeSent:
    """The event about a notice that ended, SENT or FAILED."""
    return NoticeSent(
        id=event_id(notice.notice_id, "sent"),
        source="netral/notifications",
        subject=str(notice.case_id),
        time=at,
        data=NoticeSentData(
            notice_id=notice.notice_id,
            case_id=notice.case_id,
            step=notice.step,
            audience=notice.audience,
            agency=notice.agency,
            office=notice.office,
            outcome=NoticeOutcome(state),
            attempts=attempts,
        ),
    )


def _holds(assignment: Assignment) -> bool:
    """Whether a part is its holder's now; an unmarked decision is one at the opening."""
    return assignment.when == OPENED if assignment.active is None else assignment.active


def _duties(assignments: Iterable[Assignment]) -> tuple[Duty, ...]:
    return _ordered({Duty(role=a.role, basis=a.basis, deadline=a.deadline) for a in assignments})


def _ordered(duties: set[Duty]) -> tuple[Duty, ...]:
    return tuple(sorted(duties, key=lambda duty: (_RANK[duty.role], duty.basis, str(duty.deadline))))


def _addressees(assignments: list[Assignment]) -> tuple[Addressee, ...]:
    acting = {(a.agency, a.office) for a in assignments if a.role is Role.ACTION}
    offices = dict.fromkeys((a.agency, a.office) for a in assignments)
    return tuple(
        Addressee(agency=agency, office=office, acts=(agency, office) in acting) for agency, office in offices
    )
