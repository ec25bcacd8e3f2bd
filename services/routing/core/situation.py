"""Turns the facts of a report into situations: one tuple of closed values for each act of each person."""

from dataclasses import dataclass
from datetime import date

from contracts import regions
from contracts.codes import Act, Beneficiary, ElectionOffice, EmployerKind, ProgressEvent
from contracts.facts import ActFacts, PersonFacts, ReportFacts, post_of
from contracts.progress import Progress
from services.routing.core.admissibility import Admission
from services.routing.core.stages import StageAnswer
from services.routing.core.vocabulary import NAMES, Situation

KASN_ENDS = date(2024, 8, 24)
HANDOVER_RULE = date(2024, 9, 4)
"""SE MenPANRB 4/2024: what KASN had processed by then goes one way, what it had only received the other."""

_PSEUDO_ACT = ActFacts(person="", code=Act.OTHER, beneficiary=Beneficiary.UNKNOWN)
_AT_HOME = {EmployerKind.KABUPATEN, EmployerKind.KOTA, EmployerKind.DESA}


@dataclass(frozen=True)
class Place:
    """Where the act counts as done, as bare region codes: province always, regency where one is known."""

    province: str
    regency: str | None
    provincial: bool


def situations_of(
    facts: ReportFacts,
    person: PersonFacts,
    events: tuple[Progress, ...],
    stage: StageAnswer,
    admission: Admission,
) -> tuple[Situation, ...]:
    """The situations of one person, in the order of the acts; a person without an act counts with `OTHER`."""
    shared = _shared(facts, person, events, stage, admission)
    acts = [act for act in facts.acts if act.person == person.ref] or [_PSEUDO_ACT]
    return tuple(
        tuple(str({**shared, "act": act.code, "beneficiary": act.beneficiary}[name]) for name in NAMES)
        for act in acts
    )


def as_identified(person: PersonFacts, events: tuple[Progress, ...]) -> PersonFacts:
    """The person as the IDENTIFIED events leave it; a report is never edited, later knowledge overlays it."""
    for event in events:
        if event.event is ProgressEvent.IDENTIFIED:
            employer = event.employer
            person = person.model_copy(
                update={
                    name: value
                    for name, value in {
                        "status": event.status,
                        "post": post_of(event.post) if event.post else None,
                        "post_kind": event.post_kind,
                        "employer": employer.kind if employer else None,
                        "employer_region": employer.region if employer else None,
                        "numbered": True if event.nip else None,
                    }.items()
                    if value is not None
                }
            )
    return person


def place_of(facts: ReportFacts, person: PersonFacts) -> Place:
    """The place that decides the office: of the event, or of the person's work for an act online.

    Provincial where the place is a province, several regencies were touched, or the employer is the province (R08).
    """
    region = person.employer_region if facts.online and person.employer_region else facts.region
    touched = {code for code in (facts.region, *facts.regions_touched) if not regions.is_province(code)}
    provincial = regions.is_province(region) or len(touched) > 1 or person.employer is EmployerKind.PROVINSI
    bare = regions.bare(region)
    return Place(bare[:2], None if regions.is_province(region) else bare, provincial)


def file_of(events: tuple[Progress, ...], handled_on: date) -> str:
    """What had become of the file at KASN when its tasks moved (R13)."""
    if handled_on < KASN_ENDS:
        return "NONE"
    before = [event for event in events if event.on < HANDOVER_RULE]
    if any(event.trigger == "SUPERVISOR_CONCLUDED:RECOMMENDED" for event in before):
        return "PROCESSED_BY_KASN"
    forwarded = any(event.trigger == "STUDY_CONCLUDED:BREACH" and event.on < KASN_ENDS for event in before)
    return "RECEIVED_BY_KASN" if forwarded else "NONE"


def _shared(
    facts: ReportFacts,
    person: PersonFacts,
    events: tuple[Progress, ...],
    stage: StageAnswer,
    admission: Admission,
) -> dict[str, str]:
    identified = any(event.event is ProgressEvent.IDENTIFIED for event in events)
    return {
        "election": facts.election,
        "election_office": facts.election_office or "UNKNOWN",
        "status": person.status,
        "post": person.post,
        "post_kind": person.post_kind,
        "employer": person.employer,
        "stage": stage.stage,
        "channel": facts.channel or "UNKNOWN",
        "numbered": _yes(person.numbered),
        "identity": "VERIFIED" if identified or person.numbered else "DOUBTFUL",
        "track": admission.track,
        "late": _yes(admission.late),
        "home": _home(facts, person),
        "national": _yes(_national(facts)),
        "rotation_window": "IN" if stage.in_rotation_window else "OUT",
        "file": file_of(events, admission.handled_on),
        "received_by": "UNKNOWN",
    }


def _home(facts: ReportFacts, person: PersonFacts) -> str:
    home = person.employer_region
    if home is None or person.employer not in _AT_HOME or regions.is_province(home):
        return "UNKNOWN"
    place = place_of(facts, person).regency
    if place is None:
        return "UNKNOWN"
    return "SAME" if regions.bare(home) == place else "ELSEWHERE"


def _national(facts: ReportFacts) -> bool:
    """An event of national scale: a presidential election, or places in several provinces."""
    provinces = {regions.province_of(code) for code in (facts.region, *facts.regions_touched)}
    return facts.election_office is ElectionOffice.PRESIDEN or len(provinces) > 1


def _yes(value: bool) -> str:
    return "YES" if value else "NO"
