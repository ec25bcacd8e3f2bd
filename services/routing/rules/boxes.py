"""Boxes of facts and days, split until every rule holds in all of a box or nowhere in it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import and_, or_

from services.routing.core.rules import Axis, Rulebook
from services.routing.core.vocabulary import FACTS, NAMES
from services.routing.rules.guarantees import FIRST_DAY, LAST_DAY, Where

Box = tuple[tuple[str, ...], ...]
"""Values per dimension, in the order of `DIMENSIONS`. Days are spans `first..last` between two cuts of a clock."""

DIMENSIONS = (*NAMES, "occurred_on", "handled_on")

Verdict = Callable[[int, int], bool | None]
"""From the masks of regions that surely and that possibly hold: right, wrong, or (None) not the same everywhere."""


@dataclass(frozen=True)
class Space:
    """All facts and the spans of both clocks, within the days the proof covers."""

    values: Box

    @classmethod
    def of(cls, book: Rulebook, others: Iterable[Where]) -> "Space":
        """The space of a rulebook; the days that `others` name are cuts too."""
        cuts: dict[Axis, set[date]] = {"incident": set(), "handling": set()}
        for rule in book.rules:
            cuts[rule.by] |= {version.since for version in rule.history}
        cuts["handling"] |= {day for where in others for day in (where.since, where.until) if day}
        facts = tuple(tuple(map(str, values)) for values in FACTS.values())
        return cls((*facts, _spans(cuts["incident"]), _spans(cuts["handling"])))

    def box(
        self,
        given: Mapping[str, frozenset[str]],
        occurred: tuple[date | None, date | None] = (None, None),
        handled: tuple[date | None, date | None] = (None, None),
    ) -> Box:
        """The box of these values; the days run from the first to before the second."""
        days = zip((occurred, handled), self.values[len(NAMES) :], strict=True)
        return (
            *(
                tuple(value for value in values if value in given.get(fact, values))
                for fact, values in zip(NAMES, self.values, strict=False)
            ),
            *(tuple(span for span in spans if _within(span, *interval)) for interval, spans in days),
        )

    def where(self, where: Where) -> Box:
        return self.box(where.given, handled=(where.since, where.until))

    def backwards(self) -> Iterator[Box]:
        """The boxes in which a case is handled before it happened."""
        for span in self.values[-2]:
            earlier = tuple(other for other in self.values[-1] if _ends(other)[1] < _ends(span)[0])
            if earlier:
                yield (*self.values[:-2], (span,), earlier)

    def text(self, box: Box) -> str:
        """A box as a reader reads it: only what is narrower than everything."""
        told = [
            f"{name} = {_days(mine, full) if name.endswith('_on') else _values(mine, full)}"
            for name, mine, full in zip(DIMENSIONS, box, self.values, strict=True)
            if mine != full
        ]
        return "; ".join(told) or "everywhere"


class Splitter:
    """Bitmasks of regions over a space. `barred` is the mask of regions that cannot occur."""

    def __init__(self, space: Space, regions: Sequence[Box], barred: int) -> None:
        self.barred = barred
        self._masks = [
            {value: sum(1 << bit for bit, r in enumerate(regions) if value in r[d]) for value in values}
            for d, values in enumerate(space.values)
        ]

    def wrong(self, start: Box, verdict: Verdict, relevant: int) -> Iterator[tuple[Box, int]]:
        """The pieces of `start` where `verdict` is False, each with the mask of the regions that surely hold in it.

        A piece holds at least one combination that can occur; others in it may be barred.
        """
        waiting = [start]
        while waiting:
            box = waiting.pop()
            must, may = self._held(box)
            if must & self.barred or not all(box):
                continue
            answer = verdict(must, may)
            if answer is None:
                waiting += self._split(box, may & ~must & relevant)
            elif not answer and self.occurs(box):
                yield box, must

    def occurs(self, start: Box) -> bool:
        """Whether anything in a box is not barred."""
        waiting = [start]
        while waiting:
            box = waiting.pop()
            must, may = self._held(box)
            if must & self.barred or not all(box):
                continue
            if not may & self.barred:
                return True
            waiting += self._split(box, may & ~must & self.barred)
        return False

    def _held(self, box: Box) -> tuple[int, int]:
        """The regions that hold everywhere in a box, and those that hold somewhere."""
        must = may = -1
        for values, masks in zip(box, self._masks, strict=True):
            held = [masks[value] for value in values]
            must &= reduce(and_, held, -1)
            may &= reduce(or_, held, 0)
        return must, may

    def _split(self, box: Box, undecided: int) -> list[Box]:
        """The box cut along the dimension that tells most of the undecided regions apart."""
        best = max(range(len(box)), key=lambda d: self._told_apart(d, box[d], undecided))
        groups: dict[int, list[str]] = {}
        for value in box[best]:
            groups.setdefault(self._masks[best][value] & undecided, []).append(value)
        return [(*box[:best], tuple(group), *box[best + 1 :]) for group in reversed(groups.values())]

    def _told_apart(self, dimension: int, values: tuple[str, ...], undecided: int) -> int:
        held = [self._masks[dimension][value] for value in values]
        return ((reduce(or_, held) ^ reduce(and_, held)) & undecided).bit_count()


def merged(boxes: Iterable[Box], space: Space) -> list[Box]:
    """Boxes that differ in one dimension only become one."""
    found = list(boxes)
    for dimension in range(len(DIMENSIONS)):
        groups: dict[Box, set[str]] = {}
        for box in found:
            groups.setdefault((*box[:dimension], (), *box[dimension + 1 :]), set()).update(box[dimension])
        order = space.values[dimension]
        found = [
            (*rest[:dimension], tuple(v for v in order if v in values), *rest[dimension + 1 :])
            for rest, values in groups.items()
        ]
    return found


def _spans(cuts: set[date]) -> tuple[str, ...]:
    starts = sorted({FIRST_DAY} | {day for day in cuts if FIRST_DAY < day <= LAST_DAY})
    ends = [day - timedelta(days=1) for day in starts[1:]] + [LAST_DAY]
    return tuple(f"{first}..{last}" for first, last in zip(starts, ends, strict=True))


def _ends(span: str) -> tuple[date, date]:
    first, _, last = span.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last)


def _within(span: str, since: date | None, until: date | None) -> bool:
    first, _ = _ends(span)
    return (since is None or since <= first) and (until is None or first < until)


def _values(mine: tuple[str, ...], full: tuple[str, ...]) -> str:
    others = [value for value in full if value not in mine]
    return f"any but {', '.join(others)}" if len(others) < len(mine) else ", ".join(mine)


def _days(mine: tuple[str, ...], full: tuple[str, ...]) -> str:
    runs: list[list[str]] = []
    for span in mine:
        if runs and full.index(runs[-1][-1]) + 1 == full.index(span):
            runs[-1].append(span)
        else:
            runs.append([span])
    return ", ".join(f"{_ends(run[0])[0]}..{_ends(run[-1])[1]}" for run in runs)
