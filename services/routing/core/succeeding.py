"""A change of competence: what the body that ended still has to do, and what the act that moves it says. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from contracts.codes import Agency, Role
from contracts.steps import Matter, MoveKind, Said


class Act(NamedTuple):
    """The dated act of an operator: `new` stands in for `old`; `rule` is a source or a rule of the rulebook, or None."""

    old: Agency
    new: Agency
    on: date
    rule: str | None

    @property
    def said(self) -> Said:
        return Said(event=MoveKind.SUCCEED, on=self.on, to=self.new, instead_of=self.old, rule=self.rule)


Cell = tuple[str, str]
"""The owner and the state of a matter."""


def duties(matters: Iterable[Matter], agency: Agency) -> frozenset[tuple[str, str, str]]:
    """What an agency has to do in open matters, now or later; what is closed stays with whom it was."""
    found = set()
    for matter in matters:
        if matter.owner is None:
            continue
        if matter.owner.agency == agency:
            found.add((matter.ref, "owner", matter.owner.why))
        found |= {
            (matter.ref, part.rule, part.when)
            for part in matter.parts
            if part.agency == agency and part.role is Role.ACTION
        }
    return frozenset(found)


def cells(matters: Iterable[Matter]) -> Counter[Cell]:
    """How many open persons stand with which owner in which state."""
    return Counter((str(m.owner.agency), m.state) for m in matters if m.owner)
