"""The second prover: the guarantees as formulas for z3. It shares the guarantees with the first, and no method.

z3 is a tool of development, not of the service: it is imported only when somebody proves with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.routing.core.rules import Rule, Rulebook
from services.routing.core.vocabulary import FACTS, INDEX, NAMES, Situation
from services.routing.rules.guarantees import (
    CONSTRAINTS,
    FIRST_DAY,
    GUARANTEES,
    LAST_DAY,
    Constraint,
    Guarantee,
    Where,
)


@dataclass(frozen=True)
class Witness:
    """One admissible situation that breaks a guarantee."""

    situation: Situation
    occurred_on: date
    handled_on: date


def refuted(
    book: Rulebook,
    guarantees: Sequence[Guarantee] = GUARANTEES,
    constraints: Sequence[Constraint] = CONSTRAINTS,
) -> dict[str, Witness]:
    """The ids of the guarantees a rulebook breaks, each with a witness. Raises ImportError where z3 is missing."""
    formulas = _Formulas(book)
    admissible = formulas.admissible(constraints)
    found = {}
    for guarantee in guarantees:
        witness = formulas.witness([*admissible, formulas.where(guarantee.when), formulas.broken(guarantee)])
        if witness:
            found[guarantee.id] = witness
    return found


class _Formulas:
    """A rulebook in z3: an integer for each fact and for the day on each clock."""

    def __init__(self, book: Rulebook) -> None:
        import z3  # noqa: PLC0415

        self.z3 = z3
        self.book = book
        self.facts = [z3.Int(name) for name in NAMES]
        self.days = {"incident": z3.Int("occurred_on"), "handling": z3.Int("handled_on")}
        self._known: dict[str, Any] = {}

    def admissible(self, constraints: Sequence[Constraint]) -> list[Any]:
        z3, days = self.z3, self.days
        return [
            *(
                z3.And(fact >= 0, fact < len(FACTS[name]))
                for name, fact in zip(NAMES, self.facts, strict=True)
            ),
            *(z3.And(FIRST_DAY.toordinal() <= day, day <= LAST_DAY.toordinal()) for day in days.values()),
            days["incident"] <= days["handling"],
            *(z3.Not(self.where(constraint.excludes)) for constraint in constraints),
        ]

    def where(self, where: Where) -> Any:
        accepted = [self._accepts(fact, values) for fact, values in where.given.items()]
        return self.z3.And(*accepted, self._between("handling", where.since, where.until))

    def broken(self, guarantee: Guarantee) -> Any:
        """That a situation has too few or too many of the parts a guarantee counts."""
        givers: dict[str, list[Any]] = {}
        for rule in self.book.rules:
            for number, version in enumerate(rule.history):
                for part in guarantee.parts(version) if version.speaks else ():
                    speaks = self._between(rule.by, *rule.interval(number))
                    givers.setdefault(part, []).append(self.z3.And(speaks, self._stands(rule)))
        count = self.z3.Sum(*(self.z3.If(self.z3.Or(*ways), 1, 0) for ways in givers.values()), 0)
        too_many = False if guarantee.at_most is None else count > guarantee.at_most
        return self.z3.Or(count < guarantee.at_least, too_many)

    def witness(self, claims: list[Any]) -> Witness | None:
        solver = self.z3.Solver()
        solver.add(*claims)
        answer = solver.check()
        if answer == self.z3.unknown:
            raise ArithmeticError(f"z3 gave up: {solver.reason_unknown()}")
        if answer == self.z3.unsat:
            return None
        values = [solver.model().eval(term, True).as_long() for term in (*self.facts, *self.days.values())]
        situation = tuple(str(FACTS[name][value]) for name, value in zip(NAMES, values, strict=False))
        occurred, handled = (date.fromordinal(value) for value in values[len(NAMES) :])
        return Witness(situation, occurred, handled)

    def _stands(self, rule: Rule) -> Any:
        """That a rule matches and no exception to it stands."""
        if rule.id not in self._known:
            matches = [self._accepts(fact, values) for fact, values in rule.given.items()]
            spoken = [
                self._between(rule.by, *rule.interval(number))
                for number, version in enumerate(rule.history)
                if version.speaks
            ]
            defeats = [self._stands(other) for other in self.book.rules if rule.id in other.exception_to]
            self._known[rule.id] = self.z3.And(
                *matches, self.z3.Or(*spoken), *(self.z3.Not(defeat) for defeat in defeats)
            )
        return self._known[rule.id]

    def _accepts(self, fact: str, values: frozenset[str]) -> Any:
        numbers = [number for number, value in enumerate(FACTS[fact]) if value in values]
        return self.z3.Or(*(self.facts[INDEX[fact]] == number for number in numbers))

    def _between(self, clock: str, since: date | None, until: date | None) -> Any:
        day = self.days[clock]
        return self.z3.And(
            since is None or day >= since.toordinal(), until is None or day < until.toordinal()
        )
