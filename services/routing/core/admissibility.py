"""Whether a report is formal, in time and complete; a defect is named, never a reason to refuse."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from contracts.codes import DeadlineUnit, Defect, ElectionKind, EmployerKind, ReporterKind, Status, Track
from contracts.decision import Admissibility
from contracts.facts import PersonFacts, ReportFacts
from services.routing.core.workdays import WorkCalendar

LIMIT = 7
"""Days a reporter has from knowing: working days in a Pemilu (UU 7/2017 art. 454(6)), days in a Pilkada (art. 134(4))."""

_UNIT = {ElectionKind.PEMILU: DeadlineUnit.WORKING_DAY, ElectionKind.PILKADA: DeadlineUnit.CALENDAR_DAY}
_BASIS = {
    ElectionKind.PEMILU: ("UU 7/2017 art. 454(4)", "UU 7/2017 art. 454(6)"),
    ElectionKind.PILKADA: ("UU 1/2015 art. 134(3)", "UU 1/2015 art. 134(4)"),
}


class Admission(NamedTuple):
    """What later steps need of admissibility, with the day of handling it was judged for."""

    handled_on: date
    track: Track
    late: bool
    limit_on: date
    provisional: bool
    beyond_seven_days: bool
    defects: tuple[Defect, ...]
    basis: tuple[str, ...]

    @property
    def sways(self) -> tuple[Track, bool, bool, bool]:
        """What of it can change a route or a question."""
        return self.track, self.late, self.provisional, self.beyond_seven_days

    def document(self) -> Admissibility:
        """As the contract writes it."""
        return _document(self.track, self.late, self.limit_on, self.basis, self.defects)


@lru_cache(maxsize=10_000)
def _document(
    track: Track, late: bool, limit_on: date, basis: tuple[str, ...], defects: tuple[Defect, ...]
) -> Admissibility:
    return Admissibility(track=track, late=late, limit_on=limit_on, basis=basis, defects=defects)


def admission_of(facts: ReportFacts, handled_on: date, calendar: WorkCalendar) -> Admission:
    """The day of knowing is not counted and the last day is in time (contract.md, `admissibility`)."""
    limit_on, provisional = calendar.add(facts.known_on, LIMIT, _UNIT[facts.election])
    late = facts.reported_on > limit_on
    anonymous = facts.reporter is ReporterKind.ANONYMOUS
    return Admission(
        handled_on=handled_on,
        track=Track.INFORMASI_AWAL if anonymous else Track.LAPORAN,
        late=late,
        limit_on=limit_on,
        provisional=provisional,
        beyond_seven_days=(facts.reported_on - facts.known_on).days > LIMIT,
        defects=tuple(_defects(facts, late=late, anonymous=anonymous)),
        basis=_BASIS[facts.election],
    )


def _defects(facts: ReportFacts, *, late: bool, anonymous: bool) -> list[Defect]:
    found = [Defect.LATE] if late else []
    if not anonymous and not facts.reporter_named:
        found.append(Defect.REPORTER_NAME)
    if not anonymous and not facts.reporter_addressed:
        found.append(Defect.REPORTER_ADDRESS)
    if facts.evidence == 0:
        found.append(Defect.NO_EVIDENCE)
    if any(map(_unidentified, facts.persons)):
        found.append(Defect.PERSON_UNIDENTIFIED)
    return found


def _unidentified(person: PersonFacts) -> bool:
    return not person.numbered and (
        person.status is Status.UNKNOWN or person.employer is EmployerKind.UNKNOWN
    )
