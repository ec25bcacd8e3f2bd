"""The life of a case after its first decision: what was said, by whom, and who must act next (events and HTTP)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, ValidationInfo, field_validator

from contracts.codes import Agency, ProgressEvent, Stage, ViolationClass
from contracts.decision import Assignment, CalendarRef, Part, Review
from contracts.progress import Progress
from contracts.report import ONE_LINE, PROSE, Ref
from contracts.report import Part as Strict

OPERATOR = "OPERATOR"
NETRAL = "NETRAL"
"""Who speaks when a time limit passes: the system itself."""


class MoveKind(StrEnum):
    """What can be said about a case besides progress.

    RETURN gives it back to the one who had it before, and its clock stops; REFUSE names who is competent instead;
    TRANSFER waits for ACCEPT by the receiver; DONE ends the speaker's own part; ASSIGN is the operator's; VOID takes an
    earlier step back; SUCCEED decides an open case again because competence moved; LINK says that another case tells
    the same, and closes this one as its duplicate. WARN, BLOCK and UNBLOCK are what is done about a PPK who does not
    act; RECUSE says that the PPK is the reported person or a candidate himself. ACKNOWLEDGE says that the speaker took
    note, and changes nothing else. RECKON is Netral's own: limits that run were counted again by another calendar.
    """

    RETURN = "RETURN"
    REFUSE = "REFUSE"
    TRANSFER = "TRANSFER"
    ACCEPT = "ACCEPT"
    DONE = "DONE"
    ASSIGN = "ASSIGN"
    VOID = "VOID"
    SUCCEED = "SUCCEED"
    LINK = "LINK"
    WARN = "WARN"
    BLOCK = "BLOCK"
    UNBLOCK = "UNBLOCK"
    RECUSE = "RECUSE"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    RECKON = "RECKON"


_NEEDS = {
    "to": (MoveKind.TRANSFER, MoveKind.ASSIGN, MoveKind.REFUSE),
    "article": (MoveKind.REFUSE, MoveKind.SUCCEED),
    "step": (MoveKind.VOID,),
    "reason": (MoveKind.RETURN, MoveKind.RECUSE),
}
_CURES = {
    "to": "name the agency that is competent",
    "article": "name the article it rests on",
    "step": "write the number of the step that was wrong",
    "reason": "say what is missing, wrong or in conflict",
}
_OR_NONE = Field(validate_default=True)


class Move(Strict):
    """`to` and `office` belong to TRANSFER, ASSIGN and REFUSE, `article` to REFUSE and SUCCEED, `step` to VOID.

    RETURN needs a `reason`, REFUSE an `article`. Without `person` it is about every person of the case.
    """

    move: MoveKind
    person: Ref | None = None
    to: Annotated[Agency | None, _OR_NONE] = None
    office: Annotated[str, Field(strict=True, max_length=20), ONE_LINE] | None = None
    article: Annotated[Annotated[str, Field(strict=True, max_length=200), ONE_LINE] | None, _OR_NONE] = None
    step: Annotated[Annotated[int, Field(strict=True, ge=1)] | None, _OR_NONE] = None
    reason: Annotated[Annotated[str, Field(strict=True, max_length=2000), PROSE] | None, _OR_NONE] = None

    @field_validator(*_NEEDS)
    @classmethod
    def _is_there(cls, value: object, known: ValidationInfo) -> object:
        """Checked field by field, so that every fault is said at once."""
        name, move = str(known.field_name), known.data.get("move")
        if value is None and move in _NEEDS[name]:
            raise ValueError(f"is missing for {move}; {_CURES[name]}")
        return value


class MovedLimit(Part):
    """A limit that another calendar moved: its last day before and now. OPERATOR's is the alarm of his queue."""

    person: str
    agency: Agency | Literal["OPERATOR"]
    office: str | None
    was: date
    now: date


class Said(Part):
    """What was said without anybody's words or numbers; `numbered` tells that a NIP was given."""

    event: ProgressEvent | MoveKind
    result: str | None = None
    person: str | None = None
    on: date
    status: str | None = None
    post: str | None = None
    post_kind: str | None = None
    employer: str | None = None
    employer_region: str | None = None
    numbered: bool = False
    number_mark: str | None = None
    """A keyed digest of the NIP, for this case only: it tells whether two bodies gave the same one."""
    to: Agency | None = None
    office: str | None = None
    step: int | None = None
    case: UUID | None = None
    """The case a LINK leads to."""
    instead_of: Agency | None = None
    rule: str | None = None
    """Of a SUCCEED: whose place `to` takes, and the source or rule of the rulebook that moves the competence."""
    calendar: CalendarRef | None = None
    moved: tuple[MovedLimit, ...] = ()
    """Of a RECKON: the working days it counted by, and every limit that came out on another day."""


class Heard(Progress):
    """A progress event as the log keeps it: that a number was given, not the number."""

    by_number: bool = False

    @property
    def numbered(self) -> bool:
        """Whether the person was identified by a NIP."""
        return self.by_number


class Owner(Part):
    """Who must act next. OPERATOR is a staffed queue; `why` says which part, or why nobody else has one."""

    agency: Agency | Literal["OPERATOR"]
    office: str | None
    why: str


class Due(Part):
    """A time limit that runs: the last day in time, and the instant it is over (UTC, by the clock of the place)."""

    agency: Agency
    office: str | None
    since: date
    last_day: date
    remind_at: datetime
    over_at: datetime
    calendar: str


class Link(Part):
    """Of which case a case is a duplicate: `to` goes on; `meant` is the one a person named, linked itself if it differs."""

    to: UUID
    meant: UUID


class Alarm(Part):
    """When the operator has let a matter wait too long in his queue: after `last_day`, at `at` (UTC)."""

    since: date
    last_day: date
    at: datetime


class Matter(Part):
    """One person of a case as a step leaves it; `owner` is null only when it is closed.

    `marks` say beside the state what else is known (identity, crime track, career); `questions` are for a person.
    """

    ref: str
    stage: Stage
    class_: Annotated[ViolationClass, Field(alias="class")]
    state: str
    owner: Owner | None
    parts: tuple[Assignment, ...]
    dues: tuple[Due, ...]
    marks: tuple[str, ...] = ()
    questions: tuple[Review, ...] = ()
    alarm: Alarm | None = None


__all__ = [
    "NETRAL",
    "OPERATOR",
    "Alarm",
    "Due",
    "Heard",
    "Link",
    "Matter",
    "Move",
    "MoveKind",
    "MovedLimit",
    "Owner",
    "Progress",
    "Said",
]
