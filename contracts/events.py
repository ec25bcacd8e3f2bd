"""What happened, as CloudEvents 1.0 (structured JSON). Codes, dates and ids only; fields are only ever added."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.codes import Agency, Stage, ViolationClass
from contracts.decision import Assignment, Decision, Part, RulebookRef
from contracts.facts import ReportFacts
from contracts.ids import derived_id


class Event(Part):
    """A CloudEvent. `id` is derived from the cause, so a repeated event is recognisably the same one.

    `subject` is the CloudEvents attribute (the case or report), not the NATS subject; `time` is UTC.
    """

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"


class ReportAcceptedData(Part):
    report_id: UUID
    case_id: UUID
    ticket: str
    facts: ReportFacts


class ReportAccepted(Event):
    """Intake stored a report; its personal part lies in the vault under `report_id`."""

    type: Literal["id.netral.report.accepted.v1"] = "id.netral.report.accepted.v1"
    data: ReportAcceptedData

    @property
    def nats_subject(self) -> str:
        return f"reports.{self.data.report_id}.accepted"


class CaseDecidedData(Part):
    report_id: UUID
    case_id: UUID
    ticket: str
    region: str
    decision: Decision


class CaseDecided(Event):
    """Routing recorded its decision; the first one recorded for a case stands."""

    type: Literal["id.netral.case.decided.v1"] = "id.netral.case.decided.v1"
    data: CaseDecidedData

    @property
    def nats_subject(self) -> str:
        return f"cases.{self.data.case_id}.decided"


class CaseOfferedData(Part):
    """One agency's whole part about one person: what is its now (`active`), and what may come later."""

    report_id: UUID
    case_id: UUID
    ticket: str
    region: str
    agency: Agency
    person: str
    stage: Stage
    class_: Annotated[ViolationClass, Field(alias="class")]
    assignments: tuple[Assignment, ...]


class CaseOffered(Event):
    """A person of a case was offered to an agency that has something to do or to know now."""

    type: Literal["id.netral.case.offered.v1"] = "id.netral.case.offered.v1"
    data: CaseOfferedData

    @property
    def nats_subject(self) -> str:
        return f"cases.{self.data.case_id}.offered.{self.data.agency}.{self.data.person}"


class CaseUnroutableData(Part):
    """`owner` is the staffed queue that must act: nobody is competent for these persons."""

    report_id: UUID
    case_id: UUID
    ticket: str
    persons: tuple[str, ...]
    owner: Literal["OPERATOR"] = "OPERATOR"
    reason: str


class CaseUnroutable(Event):
    """No rule gives somebody the duty to act; the operator's queue owns the case."""

    type: Literal["id.netral.case.unroutable.v1"] = "id.netral.case.unroutable.v1"
    data: CaseUnroutableData

    @property
    def nats_subject(self) -> str:
        return f"cases.{self.data.case_id}.unroutable"


class RulebookLoadedData(Part):
    """`number` counts the changes of law, from 1; `files` holds every file of the rulebook by name."""

    number: int
    rulebook: RulebookRef
    previous: RulebookRef | None
    files: dict[str, str]


class RulebookLoaded(Event):
    """From here on routing decides by this rulebook; it was checked and proved before."""

    type: Literal["id.netral.rulebook.loaded.v1"] = "id.netral.rulebook.loaded.v1"
    data: RulebookLoadedData

    @property
    def nats_subject(self) -> str:
        return f"rulebooks.{self.data.number}"


class Audience(StrEnum):
    REPORTER = "REPORTER"
    AGENCY = "AGENCY"


class NoticeStep(StrEnum):
    RECEIVED = "RECEIVED"
    ROUTED = "ROUTED"
    OFFERED = "OFFERED"


class NoticeOutcome(StrEnum):
    SENT = "SENT"
    FAILED = "FAILED"


class NoticeSentData(Part):
    """How one e-mail ended; never its address or words. FAILED means given up, and an operator owns it."""

    notice_id: UUID
    case_id: UUID
    step: NoticeStep
    audience: Audience
    agency: Agency | None = None
    office: str | None = None
    outcome: NoticeOutcome
    attempts: int


class NoticeSent(Event):
    type: Literal["id.netral.notice.sent.v1"] = "id.netral.notice.sent.v1"
    data: NoticeSentData

    @property
    def nats_subject(self) -> str:
        return f"notices.{self.data.case_id}.{self.data.notice_id}"


AnyEvent = Annotated[
    ReportAccepted | CaseDecided | CaseOffered | CaseUnroutable | RulebookLoaded | NoticeSent,
    Field(discriminator="type"),
]
EVENTS: tuple[type[Event], ...] = (
    ReportAccepted,
    CaseDecided,
    CaseOffered,
    CaseUnroutable,
    RulebookLoaded,
    NoticeSent,
)


def event_id(cause: UUID, *what: str) -> UUID:
    """The id of an event, from what caused it and what it says."""
    return derived_id(cause, "event", *what)
