"""The directory: which bodies and offices exist on which days, how to reach them, and who takes over; pure."""

import itertools
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from contracts import regions
from contracts.codes import Agency
from contracts.decision import Part

WHOLE = "*"
"""The office code of an agency as a whole: what holds for every office of it that is not listed."""


class Level(StrEnum):
    """`REGIONAL` is an office for several provinces, such as a Kantor Regional of BKN."""

    PUSAT = "PUSAT"
    PROVINSI = "PROVINSI"
    KABKOTA = "KABKOTA"
    REGIONAL = "REGIONAL"


class Kind(StrEnum):
    """What an entry is: a body as a whole, an office of it, or the unit of a regional government that acts for its head."""

    LEMBAGA = "LEMBAGA"
    KANTOR = "KANTOR"
    UNIT = "UNIT"


class Road(StrEnum):
    """How an office wants to hear of its cases; the pull inbox is always there."""

    EMAIL = "EMAIL"
    PULL = "PULL"
    WEBHOOK = "WEBHOOK"
    STREAM = "STREAM"


class Digest(StrEnum):
    """Whether its e-mails come one by one, or what can wait together: every full hour, or at 08.00 by its own clock."""

    NONE = "NONE"
    HOURLY = "HOURLY"
    DAILY = "DAILY"


class Name(Part):
    """The official name in Indonesian, and what an English reader is told."""

    id: str
    en: str


class Term(Part):
    """An office during one span of days, both ends included; `valid_until` is null while no end is known.

    `covers` are the offices of decisions whose cases this office handles besides its own. `successor` is an agency
    (`BKN`) or an office of one (`BKN/prov:16`).
    """

    valid_from: date
    valid_until: date | None = None
    name: Name
    kind: Kind
    level: Level
    region: str | None = None
    duty_address: str | None = None
    language: Literal["id", "en"] = "id"
    zone: Literal["WIB", "WITA", "WIT"]
    channels: Annotated[tuple[Road, ...], Field(min_length=1)]
    digest: Digest = Digest.NONE
    covers: tuple[str, ...] = ()
    successor: str | None = None
    source: str | None = None

    def on(self, day: date) -> bool:
        """Whether the office is what this says on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Place(NamedTuple):
    """Which entry of the directory: an agency and an office code, or WHOLE."""

    agency: Agency
    office: str

    def __str__(self) -> str:
        return self.agency if self.office == WHOLE else f"{self.agency}/{self.office}"


Entries = dict[Place, tuple[Term, ...]]
"""Every office with its terms in order of time."""


class Directory:
    """The directory as its events leave it; `hear` may get an event again and in any order of offices."""

    def __init__(self) -> None:
        self.entries: Entries = {}
        self.versions: dict[Place, int] = {}

    def hear(self, place: Place, version: int, terms: tuple[Term, ...]) -> None:
        """Take an office as its newest version says."""
        if version > self.versions.get(place, 0):
            self.versions[place], self.entries[place] = version, terms

    def at(self, agency: Agency, office: str | None, day: date) -> tuple[Place, Term] | None:
        """The entry that answers for an office on a day: its own, one that covers it, else the agency as a whole."""
        for place in self._candidates(agency, office, day):
            for term in self.entries.get(place, ()):
                if term.on(day):
                    return place, term
        return None

    def heir(self, agency: Agency, office: str | None, day: date) -> tuple[Agency, str | None]:
        """Who stands for an office on a day: itself, or the last in the row of successors if it has ended.

        A successor that is only named as an agency answers with its office of the same code.
        """
        seen: set[tuple[Agency, str | None]] = set()
        while (agency, office) not in seen:
            seen.add((agency, office))
            if named := self._successor(agency, office, day):
                heir, _, code = named.partition("/")
                agency, office = Agency(heir), code or office
        return agency, office

    def reader(self, agency: Agency, office: str | None, day: date) -> tuple[Place, Term] | None:
        """The entry that hears on a day what is for an office: its heir's. None if nobody is left."""
        agency, office = self.heir(agency, office, day)
        return self.at(agency, office, day) if self.exists(agency, day) else None

    def address_of(self, agency: Agency, office: str | None, day: date) -> str | None:
        """Where one writes to an office on a day: the address of the nearest entry of its heir that has one."""
        agency, office = self.heir(agency, office, day)
        if not self.exists(agency, day):
            return None
        for place in self._candidates(agency, office, day):
            for term in self.entries.get(place, ()):
                if term.on(day) and term.duty_address:
                    return term.duty_address
        return None

    def exists(self, agency: Agency, day: date) -> bool:
        """Whether the body exists on a day; a body the directory does not know is not doubted."""
        terms = self.entries.get(Place(agency, WHOLE), ())
        return not terms or any(term.on(day) for term in terms)

    def _successor(self, agency: Agency, office: str | None, day: date) -> str | None:
        """Who follows an office that has ended before a day, or its body that has; None while both stand."""
        for place in (Place(agency, office or WHOLE), Place(agency, WHOLE)):
            terms = self.entries.get(place, ())
            past = [term for term in terms if term.valid_until and term.valid_until < day]
            if past and past[-1].successor and not any(term.on(day) for term in terms):
                return past[-1].successor
        return None

    def _candidates(self, agency: Agency, office: str | None, day: date) -> Iterator[Place]:
        if office:
            yield Place(agency, office)
            yield from (
                place
                for place, terms in self.entries.items()
                if place.agency == agency and any(office in term.covers and term.on(day) for term in terms)
            )
        yield Place(agency, WHOLE)


def level_of(office: str) -> Level | None:
    """The level an office code says; None for WHOLE. Raises KeyError for what is no office code."""
    if office == WHOLE:
        return None
    head, _, number = office.partition(":")
    if head == "kanreg" and number.isascii() and number.isdecimal():
        return Level.REGIONAL
    regions.label_of(office)
    return {"pusat": Level.PUSAT, "prov": Level.PROVINSI, "kabkota": Level.KABKOTA}[head]


def region_of(office: str) -> str | None:
    """The namespaced region an office code names, if it names one."""
    head, _, code = office.partition(":")
    return f"kemendagri:{code}" if head in ("prov", "kabkota") else None


def retired(terms: tuple[Term, ...], last_day: date, successor: str | None) -> tuple[Term, ...]:
    """The terms of an office that ends after `last_day`; what would begin later is dropped."""
    kept = [term for term in terms if term.valid_from <= last_day]
    if not kept:
        return ()
    return (*kept[:-1], kept[-1].model_copy(update={"valid_until": last_day, "successor": successor}))


def overlapping(terms: Iterable[Term]) -> date | None:
    """The first day on which two terms of one office both hold; None if they follow each other."""
    ordered = sorted(terms, key=lambda term: term.valid_from)
    for before, after in itertools.pairwise(ordered):
        if before.valid_until is None or after.valid_from < before.valid_until + timedelta(days=1):
            return after.valid_from
    return None
