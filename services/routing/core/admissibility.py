"""Whether a report is formal, in time and complete; a defect is named, never a reason to refuse."""

from dataclasses import dataclass
from datetime import date

from contracts.codes import DeadlineUnit, Defect, ElectionKind, EmployerKind, ReporterKind, Status, Track
from contracts.decision import Admissibility
from contracts.facts import ReportFacts
from services.routing.core.workdays import WorkCalendar

LIMIT = 7
"""Days a reporter has from knowing: working days in a Pemilu (UU 7/2017 art. 454(6)), days in a Pilkada (art. 134(4))."""

_UNIT = {ElectionKind.PEMILU: DeadlineUnit.WORKING_DAY, ElectionKind.PILKADA: DeadlineUnit.CALENDAR_DAY}
_BASIS = {
    ElectionKind.PEMILU: ("UU 7/2017 art. 454(4)", "UU 7/2017 art. 454(6)"),
    ElectionKind.PILKADA: ("UU 1/2015 art. 134(3)", "UU 1/2015 art. 134(4)"),
}


@dataclass(frozen=True)
class Admission:
    """What later steps need of admissibility, with the day of handling it was judged for."""

    handled_on: date
    track: Track
    late: bool
    limit_on: date
    provisional: bool
    defects: tuple[Defect, ...]
    basis: tuple[str, ...]

    def document(self) -> Admissibility:
        return Admissibility(
            track=self.track, late=self.late, limit_on=self.limit_on, basis=self.basis, defects=self.defects
        )


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
        defects=tuple(_defects(facts, late=late, anonymous=anonymous)),
        basis=_BASIS[facts.election],
    )


def _defects(facts: ReportFacts, *, late: bool, anonymous: bool) -> list[Defect]:
    found = {
        Defect.LATE: late,
        Defect.REPORTER_NAME: not anonymous and not facts.reporter_named,
        Defect.REPORTER_ADDRESS: not anonymous and not facts.reporter_addressed,
        Defect.NO_EVIDENCE: facts.evidence == 0,
        Defect.PERSON_UNIDENTIFIED: any(
            not person.numbered
            and (person.status is Status.UNKNOWN or person.employer is EmployerKind.UNKNOWN)
            for person in facts.persons
        ),
    }
    return [defect for defect, holds in found.items() if holds]
