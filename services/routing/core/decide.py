"""The decision: who acts, when, in which role, on what authority, and why nobody else. Pure: it could be done on paper."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

from contracts.codes import (
    ASN_STATUSES,
    Agency,
    ElectionKind,
    ProgressEvent,
    Role,
    Stage,
    Status,
    ViolationClass,
)
from contracts.decision import Assignment, CalendarRef, Decision, PersonDecision, Review, RulebookRef
from contracts.facts import PersonFacts, ReportFacts
from contracts.progress import Progress, about
from services.routing.core.activity import is_active
from services.routing.core.admissibility import Admission, admission_of
from services.routing.core.engine import Engine, Hit, Hits
from services.routing.core.explaining import WhyNot
from services.routing.core.offices import office_of
from services.routing.core.rules import Assign, Rulebook
from services.routing.core.situation import Place, as_identified, place_of, situations_of
from services.routing.core.stages import Calendars, StageAnswer
from services.routing.core.vocabulary import Situation
from services.routing.core.workdays import WorkCalendar

_GRAVITY = tuple(ViolationClass)
REMEMBERED = 4096
"""Routes kept in memory; far more than one day's different questions."""


@dataclass(frozen=True)
class Asked:
    """All that the route of one person depends on besides the rulebook; `events` is None where nobody asks for them."""

    person: PersonFacts
    situations: tuple[Situation, ...]
    place: Place
    stage: Stage
    occurred_on: date
    handled_on: date
    events: tuple[Progress, ...] | None
    doubts: tuple[Review, ...]


class Reasoner:
    """A rulebook made ready: its engine, the ways to each agency, and a bounded memory of routes it has worked out."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.engine = Engine(book)
        self.why_not = WhyNot(book)
        self._routes: dict[Hashable, PersonDecision] = {}

    def hits(self, asked: Asked) -> list[Hits]:
        """The rules that decide and those defeated, for each act in turn."""
        return [self.engine.decide(s, asked.occurred_on, asked.handled_on) for s in asked.situations]

    def route(self, asked: Asked) -> PersonDecision:
        """The decision on one person; alike questions (56 village heads of one file) are worked out once."""
        found = self._routes.get(asked)
        if found is None:
            found = _person(asked, self)
            if len(self._routes) >= REMEMBERED:
                self._routes.clear()
            self._routes[asked] = found
        return found


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


def _person(asked: Asked, reasoner: Reasoner) -> PersonDecision:
    days = {"incident": asked.occurred_on, "handling": asked.handled_on}
    outcomes = reasoner.hits(asked)
    hits = _distinct([hit for outcome in outcomes for hit in outcome.applied], reasoner.book)
    assignments = _assignments(hits, asked.person, asked.place, asked.events)
    assigned = {assignment.agency for assignment in assignments}
    defeated = tuple(hit for outcome in outcomes for hit in outcome.defeated)
    return PersonDecision(
        ref="",
        stage=asked.stage,
        class_=_class(asked.person, hits),
        assignments=assignments,
        not_assigned=tuple(
            reasoner.why_not.because(agency, asked.situations, days, defeated)
            for agency in Agency
            if agency not in assigned
        ),
        review=(*_reviews(hits), *asked.doubts),
    )


def _distinct(hits: list[Hit], book: Rulebook) -> list[Hit]:
    """Each rule once, in rulebook order, however many acts it decides."""
    found = {hit.rule.id: hit for hit in hits}
    return [found[rule.id] for rule in book.rules if rule.id in found]


def _assignments(
    hits: list[Hit], person: PersonFacts, place: Place, events: tuple[Progress, ...] | None
) -> tuple[Assignment, ...]:
    found: dict[tuple[object, ...], Assignment] = {}
    for hit in hits:
        for assign in hit.version.assigns:
            if not assign.manual:
                _add(found, assign, hit, office_of(assign.office, person, place), events)
    held = {(a.agency, a.office, a.when) for a in found.values() if a.role is not Role.INFORMATION}
    return tuple(
        a
        for a in found.values()
        if a.role is not Role.INFORMATION or (a.agency, a.office, a.when) not in held
    )


def _add(
    found: dict[tuple[object, ...], Assignment],
    assign: Assign,
    hit: Hit,
    office: str | None,
    events: tuple[Progress, ...] | None,
) -> None:
    """One entry for each agency, office, role and moment; a second rule that says the same adds its authority."""
    basis = tuple(str(citation) for citation in hit.version.basis)
    key = (assign.agency, office, assign.role, assign.when, assign.repeated)
    earlier = found.get(key)
    if earlier is None:
        found[key] = Assignment(
            agency=assign.agency,
            office=office,
            role=assign.role,
            when=assign.when,
            rule=hit.rule.id,
            basis=basis,
            deadline=assign.deadline,
            active=None if events is None else is_active(assign, events),
        )
    else:
        more = tuple(text for text in basis if text not in earlier.basis)
        found[key] = earlier.model_copy(update={"basis": earlier.basis + more})


def _class(person: PersonFacts, hits: list[Hit]) -> ViolationClass:
    """The gravest class of all acts; everyone who is not a civil servant has none, an unknown person none yet."""
    if person.status is Status.UNKNOWN:
        return ViolationClass.UNDETERMINED
    if person.status not in ASN_STATUSES:
        return ViolationClass.NOT_ASN
    classes = [hit.version.class_ for hit in hits if hit.version.class_]
    return max(classes, key=_GRAVITY.index, default=ViolationClass.UNDETERMINED)


def _reviews(hits: list[Hit]) -> list[Review]:
    return [
        Review(rule=hit.rule.id, question=f"{hit.version.review.id} / {hit.version.review.en}")
        for hit in hits
        if hit.version.review
    ]


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
