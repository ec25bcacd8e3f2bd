"""Proves the guarantees of a rulebook for every admissible combination of facts and days, or shows the boxes that fail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_

from services.routing.core.rules import Rule, Rulebook, Version
from services.routing.rules.boxes import Box, Space, Splitter, Verdict, merged
from services.routing.rules.guarantees import CONSTRAINTS, GUARANTEES, Constraint, Guarantee

SHOWN = 20
"""Failures printed of one guarantee; a broken rule can leave tens of thousands of boxes."""
_SOUGHT = 400


@dataclass(frozen=True)
class Failure:
    """A guarantee that does not hold: in which box, and what was found there."""

    guarantee: str
    says: str
    box: str
    found: str

    def __str__(self) -> str:
        return f"{self.guarantee}: {self.says}. Found {self.found} where {self.box}"


@dataclass(frozen=True)
class Unit:
    """One version of one rule, with the box in which it matches."""

    rule: Rule
    version: Version
    box: Box


def prove(
    book: Rulebook,
    guarantees: Sequence[Guarantee] = GUARANTEES,
    constraints: Sequence[Constraint] = CONSTRAINTS,
) -> list[Failure]:
    """Every way in which a rulebook breaks a guarantee, at most 20 boxes for each; empty when all are proved.

    A guarantee about nothing and a constraint that excludes nothing are failures too.
    """
    proof = Proof(book, guarantees, constraints)
    failures = list(proof.vacuous())
    for guarantee in guarantees:
        failures += islice(proof.failures(guarantee), SHOWN)
    return failures


class Proof:
    """A rulebook laid out over its space."""

    def __init__(
        self,
        book: Rulebook,
        guarantees: Sequence[Guarantee] = GUARANTEES,
        constraints: Sequence[Constraint] = CONSTRAINTS,
    ) -> None:
        self.guarantees, self.constraints = guarantees, constraints
        self.space = Space.of(book, [g.when for g in guarantees] + [c.excludes for c in constraints])
        self.units = [unit for rule in book.rules for unit in self._units(rule)]
        regions = [unit.box for unit in self.units]
        first = len(regions)
        self._constrained = first + len(constraints)
        regions += [self.space.where(constraint.excludes) for constraint in constraints]
        regions += self.space.backwards()
        barred = (1 << len(regions)) - (1 << first)
        self.splitter = Splitter(self.space, regions, barred)
        self._regions = regions
        self._defeaters = self._order_of_defeat()

    def failures(self, guarantee: Guarantee) -> Iterator[Failure]:
        """The boxes in which a guarantee fails, merged where they touch."""
        by_parts: dict[str, list[Box]] = {}
        for box, found in islice(self.broken(guarantee), _SOUGHT):
            by_parts.setdefault(found, []).append(box)
        for found, boxes in by_parts.items():
            for box in merged(boxes, self.space):
                yield Failure(guarantee.id, guarantee.says, self.space.text(box), found)

    def broken(self, guarantee: Guarantee) -> Iterator[tuple[Box, str]]:
        """All the disjoint boxes in which a guarantee fails, each with the parts found there."""
        masks = self._part_masks(guarantee)
        relevant = self.with_defeaters(reduce(or_, masks.values(), 0))
        verdict = _counting(masks, guarantee, self)
        for box, must in self.splitter.wrong(self.space.where(guarantee.when), verdict, relevant):
            standing, _ = self.standing(must, must)
            yield box, "; ".join(part for part, mask in masks.items() if mask & standing) or "nobody"

    def vacuous(self) -> Iterator[Failure]:
        """Guarantees about nothing, and constraints that exclude nothing the others leave."""
        for guarantee in self.guarantees:
            if not self.splitter.occurs(self.space.where(guarantee.when)):
                yield Failure(
                    guarantee.id, "A guarantee is about something", "nowhere", "no such combination"
                )
        for number, constraint in enumerate(self.constraints):
            bit = self._constrained - len(self.constraints) + number
            others = Splitter(self.space, self._regions, self.splitter.barred & ~(1 << bit))
            if not others.occurs(self._regions[bit]):
                yield Failure(constraint.id, "A constraint excludes something", "nowhere", "nothing excluded")

    def standing(self, must: int, may: int) -> tuple[int, int]:
        """The versions that surely and that possibly decide, once exceptions have defeated what they name."""
        for bit, defeaters in self._defeaters:
            if defeaters & may:
                must &= ~bit
            if defeaters & must:
                may &= ~bit
        return must, may

    def _units(self, rule: Rule) -> Iterator[Unit]:
        for number, version in enumerate(rule.history):
            if version.speaks:
                days = rule.interval(number)
                clocks = {"occurred": days} if rule.by == "incident" else {"handled": days}
                yield Unit(rule, version, self.space.box(rule.given, **clocks))

    def _part_masks(self, guarantee: Guarantee) -> dict[str, int]:
        masks: dict[str, int] = {}
        for number, unit in enumerate(self.units):
            for part in sorted(guarantee.parts(unit.version)):
                masks[part] = masks.get(part, 0) | 1 << number
        return masks

    def _order_of_defeat(self) -> list[tuple[int, int]]:
        """For each version that can be defeated its bit and the mask of its exceptions, those undefeated first."""
        exceptions: dict[str, list[Rule]] = {}
        for rule in {unit.rule.id: unit.rule for unit in self.units}.values():
            for name in rule.exception_to:
                exceptions.setdefault(name, []).append(rule)

        def depth(name: str) -> int:
            return max((1 + depth(rule.id) for rule in exceptions.get(name, ())), default=0)

        numbered = sorted(enumerate(self.units), key=lambda item: depth(item[1].rule.id))
        return [
            (
                1 << n,
                sum(1 << m for m, other in enumerate(self.units) if unit.rule.id in other.rule.exception_to),
            )
            for n, unit in numbered
            if unit.rule.id in exceptions
        ]

    def with_defeaters(self, mask: int) -> int:
        """A mask with all exceptions to its versions, and the exceptions to these."""
        for bit, defeaters in reversed(self._defeaters):
            if bit & mask:
                mask |= defeaters
        return mask


def _counting(masks: dict[str, int], guarantee: Guarantee, proof: Proof) -> Verdict:
    most = len(masks) if guarantee.at_most is None else guarantee.at_most

    def verdict(must: int, may: int) -> bool | None:
        surely, possibly = proof.standing(must, may)
        low = sum(1 for mask in masks.values() if mask & surely)
        high = sum(1 for mask in masks.values() if mask & possibly)
        if low >= guarantee.at_least and high <= most:
            return True
        return False if high < guarantee.at_least or low > most else None

    return verdict
