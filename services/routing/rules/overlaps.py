"""Rules a reader should look at again: dead, duplicate, subsumed, or giving the same part as another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from services.routing.core.rules import Assign, Rule, Rulebook, Version
from services.routing.rules.boxes import Box
from services.routing.rules.proving import Proof, Unit


@dataclass(frozen=True)
class Finding:
    """Something a reader of the rules should look at: `dead`, `duplicate`, `subsumed` or `overlap`."""

    kind: str
    rules: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}: {' and '.join(self.rules)}: {self.reason}"


def gaps_and_overlaps(book: Rulebook) -> list[Finding]:
    """Dead, duplicate, subsumed and overlapping rules. A finding is not yet a mistake: its reason says what it means."""
    proof = Proof(book)
    return [*_dead(proof), *_duplicates(book.rules), *_subsumed(proof), *_overlaps(proof)]


def _dead(proof: Proof) -> Iterator[Finding]:
    """Versions that never decide anything."""
    for number, unit in enumerate(proof.units):
        if not all(unit.box):
            continue
        if _together(proof, number, number) is None:
            yield Finding("dead", (unit.rule.id,), f"its version from {unit.version.since} never decides")


def _subsumed(proof: Proof) -> Iterator[Finding]:
    """Versions that add nothing to another that decides wherever they do."""
    for narrow in proof.units:
        for wide in proof.units:
            if (
                narrow.rule is not wide.rule
                and _says_no_more(narrow, wide)
                and _never_alone(proof, narrow, wide)
            ):
                days = f"from {narrow.version.since}"
                yield Finding("subsumed", (narrow.rule.id, wide.rule.id), f"the second says the same {days}")


def _overlaps(proof: Proof) -> Iterator[Finding]:
    """Pairs of rules that give one agency the same role at the same moment in some situation."""
    told: set[tuple[str, str, str]] = set()
    for (i, one), (j, two) in combinations(enumerate(proof.units), 2):
        for mine, other in _same_parts(one, two):
            about = (one.rule.id, two.rule.id, f"{mine.agency} {mine.role} {mine.when}")
            box = None if about in told else _together(proof, i, j)
            if box is not None:
                told.add(about)
                why = _why_overlap(mine, other)
                yield Finding("overlap", about[:2], f"{about[2]}: {why}; where {proof.space.text(box)}")


def _together(proof: Proof, one: int, two: int) -> Box | None:
    """The box in which two versions both match, if both decide somewhere in it."""
    both = 1 << one | 1 << two
    start = tuple(
        tuple(value for value in mine if value in other)
        for mine, other in zip(proof.units[one].box, proof.units[two].box, strict=True)
    )

    def verdict(must: int, may: int) -> bool | None:
        surely, possibly = proof.standing(must, may)
        return False if surely & both == both else None if possibly & both == both else True

    return start if any(proof.splitter.wrong(start, verdict, proof.with_defeaters(both))) else None


def _duplicates(rules: Iterable[Rule]) -> Iterator[Finding]:
    for one, two in combinations(rules, 2):
        same = (one.given, one.by) == (two.given, two.by)
        if same and [_outcome(v) for v in one.history] == [_outcome(v) for v in two.history]:
            yield Finding(
                "duplicate", (one.id, two.id), "same conditions, clock and outcome; merge their bases"
            )


def _outcome(version: Version) -> tuple[object, ...]:
    silent = (version.repealed, version.expected)
    return (version.since, version.assigns, version.class_, version.review, *silent)


def _says_no_more(narrow: Unit, wide: Unit) -> bool:
    """Whether `wide` says all that `narrow` says. An exception says more: it takes something away."""
    mine, other = narrow.version, wide.version
    return (
        all(narrow.box)
        and not narrow.rule.exception_to
        and set(mine.assigns) <= set(other.assigns)
        and mine.class_ in (None, other.class_)
        and mine.review in (None, other.review)
    )


def _never_alone(proof: Proof, narrow: Unit, wide: Unit) -> bool:
    """Whether `wide` decides wherever `narrow` decides."""
    first, second = (1 << proof.units.index(unit) for unit in (narrow, wide))

    def verdict(must: int, may: int) -> bool | None:
        surely, possibly = proof.standing(must, may)
        if surely & second or not possibly & first:
            return True
        return False if surely & first and not possibly & second else None

    return not any(proof.splitter.wrong(narrow.box, verdict, proof.with_defeaters(first | second)))


def _same_parts(one: Unit, two: Unit) -> Iterator[tuple[Assign, Assign]]:
    if one.rule is two.rule:
        return
    for mine in one.version.assigns:
        for other in two.version.assigns:
            if (mine.agency, mine.role, mine.when) == (other.agency, other.role, other.when):
                yield mine, other


def _why_overlap(mine: Assign, other: Assign) -> str:
    if mine.office != other.office:
        return f"two offices, {mine.office} and {other.office}"
    if mine.repeated != other.repeated:
        return "one at the first such event, one at the second"
    if mine.deadline != other.deadline:
        return "two deadlines; the earlier rule in the book sets the one that counts"
    return "the second adds its authority"
