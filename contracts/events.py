"""What happened, as CloudEvents 1.0 (structured JSON). Codes, dates and ids only; fields are only ever added."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.calendar_events import CalendarLoaded, CalendarLoadedData
from contracts.case_events import (
    CaseDecided,
    CaseDecidedData,
    CaseDue,
    CaseDueData,
    CaseOffered,
    CaseOfferedData,
    CaseStepped,
    CaseSteppedData,
    CaseUnroutable,
    CaseUnroutableData,
    CaseWaiting,
    CaseWaitingData,
    DueLevel,
)
from contracts.codes import Agency
from contracts.decision import Part, RulebookRef
from contracts.directory_events import (
    KeyChanged,
    KeyChangedData,
    KeyKind,
    OfficeChanged,
    OfficeChangedData,
)
from contracts.envelope import Event, event_id
from contracts.facts import ReportFacts
from contracts.ids import derived_id
from contracts.matches import MatchAnswered, ReportResembles
from contracts.webhooks import EndpointChanged, WebhookAlarm


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


class ReportLinkedData(Part):
    report_id: UUID
    case_id: UUID
    ticket: str


class ReportLinked(Event):
    """A report belongs to a case: the first that opened it, and every exact copy that came later."""

    type: Literal["id.netral.report.linked.v1"] = "id.netral.report.linked.v1"
    data: ReportLinkedData

    @property
    def nats_subject(self) -> str:
        return f"cases.{self.data.case_id}.reports.{self.data.report_id}"


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
    STEPPED = "STEPPED"
    REMINDER = "REMINDER"
    OVERDUE = "OVERDUE"
    DIGEST = "DIGEST"
    WEBHOOK = "WEBHOOK"


class NoticeOutcome(StrEnum):
    """What is not SENT is an operator's: given up, come back from the reader's server, or withheld from an office."""

    SENT = "SENT"
    FAILED = "FAILED"
    BOUNCED = "BOUNCED"
    WITHHELD = "WITHHELD"


class NoticeSentData(Part):
    """How one e-mail ended; never its address or words. `turn` counts its later endings: a bounce, another try."""

    notice_id: UUID
    case_id: UUID
    step: NoticeStep
    audience: Audience
    agency: Agency | None = None
    office: str | None = None
    outcome: NoticeOutcome
    attempts: int
    turn: int = 0


def ending_of(notice_id: UUID, turn: int) -> UUID:
    """The id of one ending of a notice; the first has that of the notice."""
    return derived_id(notice_id, "turn", str(turn)) if turn else notice_id


class NoticeSent(Event):
    type: Literal["id.netral.notice.sent.v1"] = "id.netral.notice.sent.v1"
    data: NoticeSentData

    @property
    def ending(self) -> UUID:
        """The id of this ending of the notice."""
        return ending_of(self.data.notice_id, self.data.turn)

    @property
    def nats_subject(self) -> str:
        return f"notices.{self.data.case_id}.{self.ending}"


AnyEvent = Annotated[
    ReportAccepted
    | ReportLinked
    | ReportResembles
    | CaseDecided
    | CaseOffered
    | CaseUnroutable
    | CaseStepped
    | CaseDue
    | CaseWaiting
    | MatchAnswered
    | RulebookLoaded
    | CalendarLoaded
    | OfficeChanged
    | KeyChanged
    | EndpointChanged
    | WebhookAlarm
    | NoticeSent,
    Field(discriminator="type"),
]
EVENTS: tuple[type[Event], ...] = (
    ReportAccepted,
    ReportLinked,
    ReportResembles,
    CaseDecided,
    CaseOffered,
    CaseUnroutable,
    CaseStepped,
    CaseDue,
    CaseWaiting,
    MatchAnswered,
    RulebookLoaded,
    CalendarLoaded,
    OfficeChanged,
    KeyChanged,
    EndpointChanged,
    WebhookAlarm,
    NoticeSent,
)

__all__ = [
    "EVENTS",
    "AnyEvent",
    "Audience",
    "CalendarLoaded",
    "CalendarLoadedData",
    "CaseDecided",
    "CaseDecidedData",
    "CaseDue",
    "CaseDueData",
    "CaseOffered",
    "CaseOfferedData",
    "CaseStepped",
    "CaseSteppedData",
    "CaseUnroutable",
    "CaseUnroutableData",
    "CaseWaiting",
    "CaseWaitingData",
    "DueLevel",
    "EndpointChanged",
    "Event",
    "KeyChanged",
    "KeyChangedData",
    "KeyKind",
    "MatchAnswered",
    "NoticeOutcome",
    "NoticeSent",
    "NoticeSentData",
    "NoticeStep",
    "OfficeChanged",
    "OfficeChangedData",
    "ReportAccepted",
    "ReportAcceptedData",
    "ReportLinked",
    "ReportLinkedData",
    "ReportResembles",
    "RulebookLoaded",
    "RulebookLoadedData",
    "WebhookAlarm",
    "event_id",
]
