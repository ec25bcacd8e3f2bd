"""The route of one person: which parts follow from the rules, of which class, and why nobody else."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

from contracts.codes import ASN_STATUSES, Agency, Role, Stage, Status, ViolationClass
from contracts.decision import Assignment, PersonDecision, Review
from contracts.facts import PersonFacts
from contracts.progress import Progress
from services.routing.core.activity import is_active
from services.routing.core.engine import Engine, Hit, Hits
from services.routing.core.explaining import WhyNot
from services.routing.core.offices import office_of
from services.routing.core.rules import Assign, Rulebook
from services.routing.core.situation import Place
from services.routing.core.vocabulary import Situation

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
