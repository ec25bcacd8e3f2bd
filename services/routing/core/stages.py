"""In which stage of which election a day lies, and whether officials may still be moved on it."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from contracts import regions
from contracts.codes import ElectionKind, ElectionOffice, Stage
from services.routing.core.memory import Memory

_ORDER = tuple(Stage)


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Election:
    """The calendar of one election. No offices means all of them, no regions everywhere.

    `regions` are namespaced codes. A re-vote (`psu`) has no designation of its own, and may have neither
    campaign nor quiet days. `note` is a doubt about these dates, for a person to settle.
    """

    kind: ElectionKind
    year: int
    offices: frozenset[ElectionOffice]
    regions: frozenset[str]
    psu: bool
    designation: date | None
    campaign: Span | None
    quiet: Span | None
    polling: date
    note: str | None = None


@dataclass(frozen=True)
class Expected:
    """An election that is awaited: no calendar is set, so no stage is ever computed from it."""

    kind: ElectionKind
    years: frozenset[int]
    note: str


class StageAnswer(NamedTuple):
    """`question` is for a person, in Indonesian and English; None where the calendar leaves no doubt."""

    stage: Stage
    question: str | None
    in_rotation_window: bool


@dataclass(frozen=True)
class Calendars:
    """All election calendars of one version."""

    version: str
    digest: str
    elections: tuple[Election, ...]
    expected: tuple[Expected, ...] = ()
    _known: Memory[tuple[object, ...], StageAnswer] = field(default_factory=Memory, compare=False, repr=False)

    def stage_of(
        self,
        kind: ElectionKind,
        year: int,
        office: ElectionOffice | None,
        psu: bool,
        region: str,
        day: date,
    ) -> StageAnswer:
        """The stage of a day at a place, by the calendar nearest to that place and office.

        Where the office is unknown and the calendars of the offices differ, the earlier stage and a question.
        In a re-vote the main calendar holds to its polling day; afterwards the designation stands until the
        region's own calendar says otherwise.
        """
        asked = (kind, year, office, psu, region, day)
        return self._known.get(asked) or self._known.keep(asked, self._stage_of(*asked))

    def _stage_of(
        self,
        kind: ElectionKind,
        year: int,
        office: ElectionOffice | None,
        psu: bool,
        region: str,
        day: date,
    ) -> StageAnswer:
        known = [item for item in self.elections if (item.kind, item.year) == (kind, year)]
        mains = _for_place(_for_office((item for item in known if not item.psu), office), region)
        if not mains:
            return StageAnswer(Stage.OUTSIDE, self._why_outside(kind, year), False)
        again = _for_place(_for_office((item for item in known if item.psu), office), region) if psu else []
        answers = [_answer(main, psu, again, day) for main in mains]
        earliest = min(answers, key=lambda answer: _ORDER.index(answer.stage))
        if any(answer.stage is not earliest.stage for answer in answers):
            return StageAnswer(earliest.stage, _WHICH_OFFICE, earliest.in_rotation_window)
        return earliest

    def _why_outside(self, kind: ElectionKind, year: int) -> str:
        notes = [item.note for item in self.expected if item.kind is kind and year in item.years]
        return notes[0] if notes else _NO_CALENDAR


def _answer(main: Election, psu: bool, again: list[Election], day: date) -> StageAnswer:
    rotation = _rotation_window(main, day)
    if not psu or day <= main.polling:
        return StageAnswer(_stage(main, day), main.note, rotation)
    if not again:
        return StageAnswer(Stage.AFTER_DESIGNATION, _NO_REVOTE_CALENDAR, rotation)
    return StageAnswer(_stage(again[0], day), again[0].note, rotation)


def _stage(election: Election, day: date) -> Stage:
    """The most specific stage; a re-vote begins designated."""
    if day > election.polling:
        return Stage.AFTER_POLLING
    if day == election.polling:
        return Stage.POLLING
    if election.quiet and day in election.quiet:
        return Stage.QUIET
    if election.campaign and day in election.campaign:
        return Stage.CAMPAIGN
    if election.designation and day < election.designation:
        return Stage.BEFORE_DESIGNATION
    return Stage.AFTER_DESIGNATION


def _rotation_window(election: Election, day: date) -> bool:
    """From six calendar months before designation to the end of the term (UU 10/2016 art. 71(2))."""
    return election.designation is not None and day >= _six_months_before(election.designation)


def _six_months_before(day: date) -> date:
    year, month = (day.year, day.month - 6) if day.month > 6 else (day.year - 1, day.month + 6)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _for_office(elections: Iterable[Election], office: ElectionOffice | None) -> list[Election]:
    return [item for item in elections if office is None or not item.offices or office in item.offices]


def _for_place(elections: list[Election], region: str) -> list[Election]:
    """Of the calendars that hold at the place, those of the nearest level: regency, province, country."""
    levels = ({region}, {f"kemendagri:{regions.province_of(region)}"})
    for level in levels:
        near = [item for item in elections if item.regions & level]
        if near:
            return near
    return [item for item in elections if not item.regions]


_NO_CALENDAR = (
    "Jadwal pemilihan ini tidak dikenal. Pada tahap apa hari kejadian itu? / "
    "No calendar of this election is known. In which stage does the day of the incident lie?"
)
_NO_REVOTE_CALENDAR = (
    "Jadwal pemungutan suara ulang daerah ini tidak dikenal; penetapan calon dianggap masih berlaku. "
    "Pada tahap apa hari kejadian itu? / The re-vote calendar of this region is not known; the designation "
    "is taken to stand. In which stage does the day of the incident lie?"
)
_WHICH_OFFICE = (
    "Jadwal pencalonan berbeda menurut jabatan, dan jabatannya tidak disebut; dipakai tahap yang lebih awal. "
    "Pemilihan untuk jabatan apa? / The calendars differ by office and none is named; the earlier stage is "
    "used. Which office is the election for?"
)
