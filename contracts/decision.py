"""The decision, `netral.decision.v1`: who acts, when, in which role, and why nobody else (contract.md, part 2)."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Agency, DeadlineUnit, Defect, Role, Stage, Track, ViolationClass


class Part(BaseModel):
    """Frozen; readers ignore what they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True)


class RulebookRef(Part):
    id: str
    version: str
    digest: str


class CalendarRef(Part):
    version: str
    digest: str


class Deadline(Part):
    """`count` units after the event `since`; the day of the event is not counted, the last day is in time."""

    count: Annotated[int, Field(ge=1)]
    unit: DeadlineUnit
    since: str


class Assignment(Part):
    """One agency's part. `office` is `pusat`, `prov:PP`, `kabkota:PP.KK`, or null where it is not known."""

    agency: Agency
    office: str | None
    role: Role
    when: str
    rule: str
    basis: tuple[str, ...]
    deadline: Deadline | None
    active: bool | None = None


class Obstacle(Part):
    """A fact that stood in the way: what it is and what the nearest rule would need."""

    fact: str
    is_: Annotated[str, Field(alias="is")]
    needs: tuple[str, ...]


class NotAssigned(Part):
    agency: Agency
    rule: str | None
    because: tuple[Obstacle, ...]


class Review(Part):
    """A question that a person has to decide."""

    rule: str
    question: str


class PersonDecision(Part):
    ref: str
    stage: Stage
    class_: Annotated[ViolationClass, Field(alias="class")]
    assignments: tuple[Assignment, ...]
    not_assigned: tuple[NotAssigned, ...]
    review: tuple[Review, ...]


class Admissibility(Part):
    """`limit_on` is the last day in time; the day of knowing is not counted."""

    track: Track
    late: bool
    limit_on: date
    basis: tuple[str, ...]
    defects: tuple[Defect, ...]


class Decision(Part):
    schema_: Annotated[Literal["netral.decision.v1"], Field(alias="schema")] = "netral.decision.v1"
    rulebook: RulebookRef
    calendar: CalendarRef
    handled_on: date
    admissibility: Admissibility
    persons: tuple[PersonDecision, ...]

    def document(self) -> dict[str, object]:
        """The decision as the contract writes it; `active` appears only where progress was asked for."""
        document = self.model_dump(mode="json", by_alias=True)
        for person in document["persons"]:
            for assignment in person["assignments"]:
                if assignment["active"] is None:
                    del assignment["active"]
        return document
