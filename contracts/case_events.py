"""What happens to a case: decided, offered, gone on with, due. Codes, dates and ids only; fields are only ever added."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.codes import Agency, Stage, ViolationClass
from contracts.decision import Assignment, Decision, Part, RulebookRef
from contracts.envelope import Event
from contracts.steps import Link, Matter, Said


class CaseDecidedData(Part):
    report_id: UUID
    case_id: UUID
    ticket: str
    region: str
    decision: Decision
    persons: tuple[Matter, ...] = ()
    """What the opening leaves each person's matter in."""


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
    step: int = 0
    """The step of the case that changed this part; 0 is the opening."""


class CaseOffered(Event):
    """A person of a case was offered to an agency that has something to do or to know now."""

    type: Literal["id.netral.case.offered.v1"] = "id.netral.case.offered.v1"
    data: CaseOfferedData

    @property
    def nats_subject(self) -> str:
        opening = f"cases.{self.data.case_id}.offered.{self.data.agency}.{self.data.person}"
        return f"{opening}.{self.data.step}" if self.data.step else opening


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


class CaseSteppedData(Part):
    """Step `number` of a case (from 1): what `by` said, sealed words for the story, and what every person's state is now."""

    report_id: UUID
    case_id: UUID
    ticket: str
    region: str
    number: int
    by: Agency | Literal["OPERATOR", "NETRAL"]
    office: str | None
    said: Said
    sealed: str | None = None
    rulebook: RulebookRef
    handled_on: date
    persons: tuple[Matter, ...]
    link: Link | None = None
    """Of which case this one is a duplicate after the step."""


class CaseStepped(Event):
    """Something was said about a case after its decision. The subject of a number is stored once: steps never cross."""

    type: Literal["id.netral.case.stepped.v1"] = "id.netral.case.stepped.v1"
    data: CaseSteppedData

    @property
    def nats_subject(self) -> str:
        return f"cases.{self.data.case_id}.step.{self.data.number}"


class DueLevel(StrEnum):
    REMINDER = "REMINDER"
    OVERDUE = "OVERDUE"


class CaseDueData(Part):
    """A time limit of an office is three quarters over, or over."""

    case_id: UUID
    ticket: str
    region: str
    person: str
    agency: Agency
    office: str | None
    level: DueLevel
    last_day: date


class CaseDue(Event):
    """Said once for each limit and level, however often its timer fires."""

    type: Literal["id.netral.case.due.v1"] = "id.netral.case.due.v1"
    data: CaseDueData

    @property
    def nats_subject(self) -> str:
        data = self.data
        return f"cases.{data.case_id}.due.{data.person}.{data.agency}.{data.last_day}.{data.level}"


class CaseWaitingData(Part):
    """A matter that stands in the operator's queue longer than it may; `reason` is the queue (`queue.…`)."""

    case_id: UUID
    ticket: str
    region: str
    person: str
    agency: Literal["OPERATOR"] = "OPERATOR"
    level: Literal["QUEUE"] = "QUEUE"
    reason: str
    last_day: date


class CaseWaiting(Event):
    """The age alarm of the operator's queues; said once for each stay."""

    type: Literal["id.netral.case.waiting.v1"] = "id.netral.case.waiting.v1"
    data: CaseWaitingData

    @property
    def nats_subject(self) -> str:
        return f"cases.{self.data.case_id}.waiting.{self.data.person}.{self.data.last_day}"
