"""The decision: who acts, when, in which role, on what authority, and why nobody else. Pure: it could be done on paper."""

from dataclasses import dataclass
from datetime import date

from contracts.codes import (
    ElectionKind,
    ProgressEvent,
)
from contracts.decision import CalendarRef, Decision, Review, RulebookRef
from contracts.facts import PersonFacts, ReportFacts
from contracts.progress import Progress, about
from services.routing.core.admissibility import Admission, admission_of
from services.routing.core.route import Asked, Reasoner
from services.routing.core.situation import as_identified, place_of, situations_of
from services.routing.core.stages import Calendars, StageAnswer
from services.routing.core.workdays import WorkCalendar


@dataclass(frozen=True)
class Questions:
    """A report made ready to be decided: one question for each person, in the order of the report."""

    admission: Admission
    persons: tuple[tuple[str, Asked], ...]


def questions_of(
    facts: ReportFacts,
    handled_on: date,
    progress: tuple[Progress, ...] | None,
    calendars: Calendars,
    workdays: WorkCalendar,
) -> Questions:
    """What has to be decided about each person (by `ref`)."""
    admission = admission_of(facts, handled_on, workdays)
    stage = calendars.stage_of(
        facts.election, facts.election_year, facts.election_office, facts.psu, facts.region, facts.occurred_on
    )
    asked = ((person.ref, _asked(facts, person, progress, stage, admission)) for person in facts.persons)
    return Questions(admission, tuple(asked))


def decide(questions: Questions, reasoner: Reasoner, calendar: CalendarRef) -> Decision:
    """The whole route of a report. Where progress was given (also none yet) assignments say whether they are active."""
    book = reasoner.book
    return Decision(
        rulebook=RulebookRef(id=book.id, version=book.version, digest=book.digest),
        calendar=calendar,
        handled_on=questions.admission.handled_on,
        admissibility=questions.admission.document(),
        persons=tuple(
            reasoner.route(asked).model_copy(update={"ref": ref}) for ref, asked in questions.persons
        ),
    )


def _asked(
    facts: ReportFacts,
    reported: PersonFacts,
    progress: tuple[Progress, ...] | None,
    stage: StageAnswer,
    admission: Admission,
) -> Asked:
    events = about(progress or (), reported.ref)
    person = as_identified(reported, events)
    return Asked(
        person=person.model_copy(update={"ref": ""}),
        situations=situations_of(facts, person, events, stage, admission),
        place=place_of(facts, person),
        stage=stage.stage,
        occurred_on=facts.occurred_on,
        handled_on=admission.handled_on,
        events=None if progress is None else events,
        doubts=tuple(_doubts(facts, stage, admission, events)),
    )


def _doubts(
    facts: ReportFacts, stage: StageAnswer, admission: Admission, events: tuple[Progress, ...]
) -> list[Review]:
    """Questions that no rule asks: about the calendars, and about a person who moved or left."""
    found = [Review(rule="calendar.stage", question=stage.question)] if stage.question else []
    if admission.provisional:
        found.append(Review(rule="calendar.workdays", question=_PROVISIONAL))
    if (
        facts.election is ElectionKind.PEMILU
        and not admission.late
        and (facts.reported_on - facts.known_on).days > 7
    ):
        found.append(Review(rule="intake.limit", question=_SEVEN_DAYS))
    kinds = {event.event for event in events}
    found += [Review(rule=rule, question=text) for kind, (rule, text) in _MOVES.items() if kind in kinds]
    return found


_PROVISIONAL = (
    "Batas waktu dihitung tanpa keputusan cuti bersama untuk tahun itu. Tanggal berapa yang benar? / "
    "The limit was computed without a decree on collective leave for that year. Which day is right?"
)
_SEVEN_DAYS = (
    "UU 7/2017 menyebut 7 hari kerja, Perbawaslu 7/2022 menurut pers 7 hari. Apakah laporan ini masih tepat waktu? / "
    "UU 7/2017 says 7 working days, Perbawaslu 7/2022 as printed 7 days. Is this report still in time?"
)
_MOVES = {
    ProgressEvent.TRANSFERRED: (
        "person.transferred",
        "Orang ini pindah. Siapa PPK-nya sekarang? / The person moved. Who is the PPK now?",
    ),
    ProgressEvent.LEFT_SERVICE: (
        "person.left",
        "Orang ini tidak lagi berdinas. Apakah perkara ASN dilanjutkan? / "
        "The person left the service. Does the ASN matter go on?",
    ),
}
