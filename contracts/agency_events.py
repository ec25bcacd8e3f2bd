"""What one office of one agency is told about a case: offered, gone on with, due. Thin: codes, dates, ids and a link.

These events lie in the stream TOLD and, word for word, in webhook bodies. An office hears only of persons it has a
part in, and only its own parts and time limits; fields are only ever added.
"""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.case_events import DueLevel
from contracts.codes import Agency, Stage, ViolationClass
from contracts.decision import Assignment, Part
from contracts.envelope import Event
from contracts.steps import Due, Owner

STREAM = "TOLD"


class Told(Part):
    """Whose event it is. `office` is `pusat`, `prov:PP`, `kabkota:PP.KK`, or null where the law leaves it open.

    `link` is a path below the address of the agencies' door; it is read with the agency's own key.
    """

    case_id: UUID
    ticket: str
    region: str
    agency: Agency
    office: str | None
    link: str


class AgencyMatter(Part):
    """One person of a case as this office may see it; `owner` is null once the matter is closed."""

    ref: str
    stage: Stage
    class_: Annotated[ViolationClass, Field(alias="class")]
    state: str
    owner: Owner | None
    assignments: tuple[Assignment, ...]
    dues: tuple[Due, ...]


class AgencyOfferedData(Told):
    """`number` is the step of the case that made the offer; 0 is the opening. `omitted`: see `AgencySteppedData`."""

    number: int
    persons: tuple[AgencyMatter, ...]
    omitted: int = 0


class AgencyOffered(Event):
    """Persons of a case were given to an office, to act on or to know of."""

    type: Literal["id.netral.agency.offered.v1"] = "id.netral.agency.offered.v1"
    data: AgencyOfferedData

    @property
    def nats_subject(self) -> str:
        return f"{_root(self.data)}.offered.{self.data.number}"


class AgencySteppedData(Told):
    """What step `number` changed for this office; its part about the persons in `ended` is over.

    `omitted` counts persons left out because a webhook stays below 20 kB; the link shows them all.
    """

    number: int
    persons: tuple[AgencyMatter, ...]
    ended: tuple[str, ...] = ()
    omitted: int = 0


class AgencyStepped(Event):
    """A case went on: state, owner or limits of persons this office has a part in are others now."""

    type: Literal["id.netral.agency.stepped.v1"] = "id.netral.agency.stepped.v1"
    data: AgencySteppedData

    @property
    def nats_subject(self) -> str:
        return f"{_root(self.data)}.stepped.{self.data.number}"


class AgencyDueData(Told):
    """`last_day` is the last day in time, by the calendar of the place."""

    person: str
    level: DueLevel
    last_day: date


class AgencyDue(Event):
    """A time limit of this office is three quarters over, or over."""

    type: Literal["id.netral.agency.due.v1"] = "id.netral.agency.due.v1"
    data: AgencyDueData

    @property
    def nats_subject(self) -> str:
        data = self.data
        return f"{_root(data)}.due.{data.person}.{data.last_day}.{data.level}"


AnyAgencyEvent = Annotated[AgencyOffered | AgencyStepped | AgencyDue, Field(discriminator="type")]
AGENCY_EVENTS: tuple[type[Event], ...] = (AgencyOffered, AgencyStepped, AgencyDue)


def office_token(office: str | None) -> str:
    """An office as one word of a subject: `prov-16`, `kabkota-16-07`, `pusat`; `any` where it is not known."""
    return office.replace(":", "-").replace(".", "-") if office else "any"


def _root(data: Told) -> str:
    return f"told.{data.agency}.{office_token(data.office)}.{data.case_id}"
