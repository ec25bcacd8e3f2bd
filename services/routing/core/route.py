"""The route of one person: which parts follow from the rules, of which class, and why nobody else."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date

from contracts.codes import ASN_STATUSES, Agency, EmployerKind, Role, Stage, Status, ViolationClass
from contracts.decision import Assignment, NotAssigned, Obstacle, PersonDecision, Review, RulebookRef
from contracts.progress import Progress
from services.routing.core.activity import is_active
from services.routing.core.engine import Engine, Hit, Hits
from services.routing.core.explaining import WhyNot
from services.routing.core.memory import Memory
from services.routing.core.offices import office_of
from services.routing.core.rules import Assign, Rulebook
from services.routing.core.situation import Place
from services.routing.core.vocabulary import Situation

DECISIONS = 1_000
"""Answers of 20 to 40 kB kept: enough for the steps of a case of 200 persons, and some 40 MB at most."""
_GRAVITY = tuple(ViolationClass)


@dataclass(frozen=True)
class Asked:
    """All that the route of one person depends on besides the rulebook; `events` is None where nobody asks for them."""

    status: Status
    employer: EmployerKind
    employer_region: str | None
    situations: tuple[Situation, ...]
    place: Place
    stage: Stage
    occurred_on: date
    handled_on: date
    events: tuple[Progress, ...] | None
    doubts: tuple[Review, ...]


@dataclass(frozen=True)
class _Kind:
    """What all persons in the same situations share while the same versions are in force, wherever and whenever."""

    hits: tuple[Hit, ...]
    class_: ViolationClass
    absent: tuple[NotAssigned, ...]
    reviews: tuple[Review, ...]


class Reasoner:
    """A rulebook made ready: its engine, the ways to each agency, and bounded memories of what it has worked out."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.ref = RulebookRef(id=book.id, version=book.version, digest=book.digest)
        self.engine = Engine(book)
        self.why_not = WhyNot(book)
        self._kinds: Memory[Hashable, _Kind] = Memory(DECISIONS)
        self._routes: Memory[Hashable, PersonDecision] = Memory(DECISIONS)

    def hits(self, asked: Asked) -> list[Hits]:
        """The rules that decide and those defeated, for each act in turn."""
        return [self.engine.decide(s, asked.occurred_on, asked.handled_on) for s in asked.situations]

    def route(self, key: Hashable, ref: str, ask: Callable[[], Asked]) -> PersonDecision:
        """The decision on one person; `key` holds all that `ask` depends on, so alike questions are asked once."""
        found = self._routes.get((key, ref))
        if found is None:
            found = self._routes.keep((key, ref), self._person(ask(), ref))
        return found

    def _person(self, asked: Asked, ref: str) -> PersonDecision:
        kind = self._kind(asked)
        return PersonDecision(
            ref=ref,
            stage=asked.stage,
            class_=kind.class_,
            assignments=_assignments(kind.hits, asked),
            not_assigned=tuple(_dated(absent, asked) for absent in kind.absent),
            review=(*kind.reviews, *asked.doubts),
        )

    def _kind(self, asked: Asked) -> _Kind:
        key = (asked.situations, self.engine.live(asked.occurred_on, asked.handled_on))
        found = self._kinds.get(key)
        if found is None:
            found = self._kinds.keep(key, self._work_out(asked))
        return found

    def _work_out(self, asked: Asked) -> _Kind:
        days = {"incident": asked.occurred_on, "handling": asked.handled_on}
        outcomes = self.hits(asked)
        hits = _distinct([hit for outcome in outcomes for hit in outcome.applied], self.book)
        assigned = {a.agency for hit in hits for a in hit.version.assigns if not a.manual}
        defeated = tuple(hit for outcome in outcomes for hit in outcome.defeated)
        return _Kind(
            tuple(hits),
            _class(asked.status, hits),
            tuple(
                self.why_not.because(agency, asked.situations, days, defeated)
                for agency in Agency
                if agency not in assigned
            ),
            tuple(_reviews(hits)),
        )


def _dated(absent: NotAssigned, asked: Asked) -> NotAssigned:
    """The same reasons on the days of this question: one side of a date is as far from a rule as any other day there."""
    days = {"occurred_on": asked.occurred_on, "handled_on": asked.handled_on}
    if not any(obstacle.fact in days for obstacle in absent.because):
        return absent
    because = tuple(
        Obstacle(fact=o.fact, is_=str(days[o.fact]), needs=o.needs) if o.fact in days else o
        for o in absent.because
    )
    return NotAssigned(agency=absent.agency, rule=absent.rule, because=because)


def _distinct(hits: list[Hit], book: Rulebook) -> list[Hit]:
    """Each rule once, in rulebook order, however many acts it decides."""
    found = {hit.rule.id: hit for hit in hits}
    return [found[rule.id] for rule in book.rules if rule.id in found]


def _assignments(hits: Iterable[Hit], asked: Asked) -> tuple[Assignment, ...]:
    found: dict[tuple[object, ...], Assignment] = {}
    for hit in hits:
        for assign in hit.version.assigns:
            if not assign.manual:
                office = office_of(assign.office, asked.employer, asked.employer_region, asked.place)
                _add(found, assign, hit, office, asked.events)
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


def _class(status: Status, hits: list[Hit]) -> ViolationClass:
    """The gravest class of all acts; everyone who is not a civil servant has none, an unknown person none yet."""
    if status is Status.UNKNOWN:
        return ViolationClass.UNDETERMINED
    if status not in ASN_STATUSES:
        return ViolationClass.NOT_ASN
    classes = [hit.version.class_ for hit in hits if hit.version.class_]
    return max(classes, key=_GRAVITY.index, default=ViolationClass.UNDETERMINED)


def _reviews(hits: list[Hit]) -> list[Review]:
    return [
        Review(rule=hit.rule.id, question=f"{hit.version.review.id} / {hit.version.review.en}")
        for hit in hits
        if hit.version.review
    ]
