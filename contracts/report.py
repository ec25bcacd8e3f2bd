"""The report, `netral.report.v1`, as a frozen model. Read it with `contracts.door.read_report`, which explains faults."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from contracts import nip, regions
from contracts.codes import (
    Act,
    Beneficiary,
    Channel,
    ElectionKind,
    ElectionOffice,
    EmployerKind,
    PostKind,
    ReporterKind,
    Status,
)

_EMAIL = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_FORBIDDEN_IN_PROSE = re.compile(_FORBIDDEN.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise ValueError("is not a date; write it as YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a day of the calendar; write an existing day as YYYY-MM-DD") from None


def _one_line(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise ValueError("holds control or direction characters; remove them")
    return value


def _prose(value: str) -> str:
    if not value.strip():
        raise ValueError("is blank; say what happened, or leave an optional field out")
    if _FORBIDDEN_IN_PROSE.search(value):
        raise ValueError("holds control or direction characters; remove them (line feed and tab are allowed)")
    return value


def _address(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError("is not an e-mail address; write it as name@domain")
    return value


def _region(value: str) -> str:
    problem = regions.problem_with(value)
    if problem:
        raise ValueError(problem)
    return value


def _nip(value: str) -> str:
    problem = nip.problem_with(value)
    if problem:
        raise ValueError(problem)
    return nip.normalised(value)


ONE_LINE = AfterValidator(_one_line)
PROSE = AfterValidator(_prose)

Day = Annotated[date, BeforeValidator(_day)]
RegionCode = Annotated[str, Field(strict=True, max_length=40), AfterValidator(_region)]
Nip = Annotated[str, Field(strict=True, max_length=40), AfterValidator(_nip)]
Ref = Annotated[str, Field(strict=True, min_length=1, max_length=100), ONE_LINE]
Name = Annotated[str, Field(strict=True, max_length=200), ONE_LINE]


class Part(BaseModel):
    """Frozen, closed, and silent about its input: an error text must never repeat personal data."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Election(Part):
    kind: ElectionKind
    year: Annotated[StrictInt, Field(ge=1955, le=2100)]
    office: ElectionOffice | None = None
    psu: StrictBool | None = None


class Incident(Part):
    occurred_on: Day
    known_on: Day
    region: RegionCode
    place: Annotated[str, Field(strict=True, max_length=300), ONE_LINE] | None = None
    online: StrictBool | None = None
    regions_touched: Annotated[tuple[RegionCode, ...], Field(max_length=552)] | None = None


class Employer(Part):
    kind: EmployerKind | None = None
    region: RegionCode | None = None
    name: Name | None = None


class Person(Part):
    ref: Ref
    status: Status
    name: Name | None = None
    nip: Nip | None = None
    post: Annotated[str, Field(strict=True, max_length=100), ONE_LINE] | None = None
    post_kind: PostKind | None = None
    employer: Employer | None = None


class ReportedAct(Part):
    person: Ref
    code: Act
    beneficiary: Beneficiary | None = None
    note: Annotated[str, Field(strict=True, max_length=2000), PROSE] | None = None


class Evidence(Part):
    sha256: Annotated[str, Field(strict=True, pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    media_type: Annotated[str, Field(strict=True, max_length=100, pattern=r"^[\w.+-]+/[\w.+-]+$")] | None = (
        None
    )
    size: Annotated[StrictInt, Field(ge=0, le=2**53)] | None = None
    name: Name | None = None


class Reporter(Part):
    kind: ReporterKind
    name: Name | None = None
    address: Annotated[str, Field(strict=True, max_length=500), ONE_LINE] | None = None
    email: (
        Annotated[
            str,
            Field(
                strict=True,
                max_length=254,
            ),
            AfterValidator(_address),
            AfterValidator(_one_line),
        ]
        | None
    ) = None
    phone: Annotated[str, Field(strict=True, max_length=50), ONE_LINE] | None = None


class Source(Part):
    channel: Channel | None = None
    reference: Annotated[str, Field(strict=True, max_length=100), ONE_LINE] | None = None


class Report(Part):
    """One report as a citizen, a participant or an agency tells it; what becomes known later is an event."""

    schema_: Annotated[Literal["netral.report.v1"], Field(alias="schema")]
    reported_on: Day | None = None
    election: Election
    incident: Incident
    persons: Annotated[tuple[Person, ...], Field(min_length=1, max_length=200)]
    acts: Annotated[tuple[ReportedAct, ...], Field(min_length=1, max_length=500)]
    narrative: Annotated[str, Field(strict=True, min_length=1, max_length=20_000), PROSE]
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=100)] | None = None
    reporter: Reporter
    source: Source | None = None
