"""The decision: who acts, when, in which role, on what authority, and why nobody else. Pure: it could be done on paper."""

from datetime import date

from contracts.codes import ASN_STATUSES, Agency, ElectionKind, ProgressEvent, Role, ViolationClass
from contracts.decision import Assignment, CalendarRef, Decision, PersonDecision, Review, RulebookRef
from contracts.facts import PersonFacts, ReportFacts
from contracts.progress import Progress, about
from services.routing.core.activity import is_active
from services.routing.core.admissibility import Admission, admission_of
from services.routing.core.engine import Engine, Hit
from services.routing.core.explaining import why_not
from services.routing.core.offices import office_of
from services.routing.core.rules import Assign
from services.routing.core.situation import Place, as_identified, place_of, situations_of
from services.routing.core.stages import Calendars, StageAnswer
from services.routing.core.workdays import WorkCalendar

_GRAVITY = tuple(ViolationClass)


def decide(
    facts: ReportFacts,
    handled_on: date,
    progress: tuple[Progress, ...] | None,
    engine: Engine,
    calendars: Calendars,
    workdays: WorkCalendar,
    calendar: CalendarRef,
) -> Decision:
    """The whole route of a report. With `progress` (also an empty one) assignments say whether they are active."""
    admission = admission_of(facts, handled_on, workdays)
    stage = calendars.stage_of(
        facts.election, facts.election_year, facts.election_office, facts.psu, facts.region, facts.occurred_on
    )
    book = engine.book
    return Decision(
        rulebook=RulebookRef(id=book.id, version=book.version, digest=book.digest),
        calendar=calendar,
        handled_on=handled_on,
        admissibility=admission.document(),
        persons=tuple(_person(facts, person, progress, engine, stage, admission) for person in facts.persons),
    )


def _person(
    facts: ReportFacts,
    reported: PersonFacts,
    progress: tuple[Progress, ...] | None,
    engine: Engine,
    stage: StageAnswer,
    admission: Admission,
) -> PersonDecision:
    events = about(progress or (), reported.ref)
    person = as_identified(reported, events)
    situations = situations_of(facts, person, events, stage, admission)
    days = {"incident": facts.occurred_on, "handling": admission.handled_on}
    outcomes = [engine.decide(situation, *days.values()) for situation in situations]
    hits = _distinct([hit for outcome in outcomes for hit in outcome.applied], engine)
    assignments = _assignments(hits, person, place_of(facts, person), None if progress is None else events)
    assigned = {assignment.agency for assignment in assignments}
    defeated = tuple(hit for outcome in outcomes for hit in outcome.defeated)
    return PersonDecision(
        ref=person.ref,
        stage=stage.stage,
        class_=_class(person, hits),
        assignments=assignments,
        not_assigned=tuple(
            why_not(agency, engine.book, situations, days, defeated)
            for agency in Agency
            if agency not in assigned
        ),
        review=(*_reviews(hits), *_doubts(facts, stage, admission, events)),
    )


def _distinct(hits: list[Hit], engine: Engine) -> list[Hit]:
    """Each rule once, in rulebook order, however many acts it decides."""
    found = {hit.rule.id: hit for hit in hits}
    return [found[rule.id] for rule in engine.book.rules if rule.id in found]


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
    """The gravest class of all acts; everyone who is not a civil servant has none."""
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
