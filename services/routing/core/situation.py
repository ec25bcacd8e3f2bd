"""Turns the facts of a report into situations: one tuple of closed values for each act of each person."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from contracts import regions
from contracts.codes import Act, Beneficiary, ElectionOffice, EmployerKind, ProgressEvent
from contracts.facts import ActFacts, PersonFacts, ReportFacts, heads_an_agency, post_of
from contracts.progress import Progress
from services.routing.core.admissibility import Admission
from services.routing.core.stages import StageAnswer
from services.routing.core.vocabulary import Situation

KASN_ENDS = date(2024, 8, 24)
HANDOVER_RULE = date(2024, 9, 4)
"""SE MenPANRB 4/2024: what KASN had processed by then goes one way, what it had only received the other."""

_PSEUDO_ACT = ActFacts(person="", code=Act.OTHER, beneficiary=Beneficiary.UNKNOWN)
_AT_HOME = {EmployerKind.KABUPATEN, EmployerKind.KOTA, EmployerKind.DESA}


class Place(NamedTuple):
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
    before, after = _shared(facts, person, events, stage, admission)
    acts = [act for act in facts.acts if act.person == person.ref] or [_PSEUDO_ACT]
    return tuple((*before, act.code.value, act.beneficiary.value, *after) for act in acts)


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
                        "heads": heads_an_agency(event.post) if event.post else None,
                        "post_kind": event.post_kind,
                        "employer": employer.kind if employer else None,
                        "employer_region": employer.region if employer else None,
                        "numbered": True if event.numbered else None,
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
    touched = frozenset((facts.region, *facts.regions_touched))
    return _place(region, touched, person.employer is EmployerKind.PROVINSI)


@lru_cache(maxsize=10_000)
def _place(region: str, touched: frozenset[str], by_a_province: bool) -> Place:
    several = sum(not regions.is_province(code) for code in touched) > 1
    bare, whole = regions.bare(region), regions.is_province(region)
    return Place(bare[:2], None if whole else bare, whole or several or by_a_province)


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
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What all acts of a person share: the values before the act and those after its beneficiary."""
    office, channel = facts.election_office, facts.channel
    identified = any(event.event is ProgressEvent.IDENTIFIED for event in events)
    return (
        (
            facts.election.value,
            office.value if office else "UNKNOWN",
            person.status.value,
            person.post.value,
            person.post_kind.value,
            person.employer.value,
        ),
        (
            stage.stage.value,
            channel.value if channel else "UNKNOWN",
            _yes(person.numbered),
            "VERIFIED" if identified or person.numbered else "DOUBTFUL",
            admission.track.value,
            _yes(admission.late),
            _home(facts, person),
            _yes(_national(facts)),
            "IN" if stage.in_rotation_window else "OUT",
            file_of(events, admission.handled_on),
            "UNKNOWN",
        ),
    )


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
    if facts.election_office is ElectionOffice.PRESIDEN:
        return True
    home = regions.province_of(facts.region)
    return any(regions.province_of(code) != home for code in facts.regions_touched)


def _yes(value: bool) -> str:
    return "YES" if value else "NO"
