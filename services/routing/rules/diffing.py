"""Compares two rulebooks by what they decide: which boxes of facts and days change their outcome, and how grave that is.

An outcome is compared effect by effect (one assignment, one question, or the class). Only the versions that speak about
an effect, and their exceptions, are split into boxes; all others cannot change it. Titles, notes and citations are no
outcome: they are a patch.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from contracts.codes import ASN_STATUSES, ViolationClass
from services.routing.core.rules import Assign, Both, Rule, Rulebook, Version
from services.routing.core.vocabulary import FACTS

Grade = Literal["patch", "minor", "major"]
Effect = Assign | Both | ViolationClass
Value = str | date
"""A value of a fact, or the first day of a segment between two cuts."""
Box = dict[str, frozenset[Value]]
"""For each fact and each clock (`incident`, `handling`) the values it holds."""

CLASS = "class"
_CLOCKS = ("incident", "handling")
_ASN = frozenset[Value](str(status) for status in ASN_STATUSES)


@dataclass(frozen=True)
class Change:
    """A box whose outcome changes. `since` is the first day of handling on which it does."""

    box: Box
    removed: tuple[Effect, ...]
    added: tuple[Effect, ...]
    since: date


@dataclass(frozen=True)
class Difference:
    """What two rulebooks decide differently. `reworded` names the rules whose text or authority alone changed."""

    grade: Grade
    changes: tuple[Change, ...]
    reworded: tuple[str, ...]
    space: Box

    def past(self, today: date) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.since < today)


@dataclass(frozen=True)
class _Voice:
    """A version that matters for an effect: the box in which it speaks and what it says there, if anything."""

    rule: str
    box: Box
    says: frozenset[Effect]
    beats: frozenset[str]
    new: bool


def compare(old: Rulebook, new: Rulebook, today: date) -> Difference:
    """Every change of outcome from `old` to `new`, graded with `today` as the day of publication."""
    space = _space(old, new)
    found: dict[tuple[tuple[str, frozenset[Value]], ...], tuple[list[Effect], list[Effect]]]
    found = defaultdict(lambda: ([], []))
    for topic in sorted(_topics(old) | _topics(new), key=repr):
        for box, before, after in _merged(_changes(topic, old, new, space)):
            removed, added = found[tuple(box.items())]
            removed += before - after
            added += after - before
    changes = tuple(
        Change(dict(box), tuple(removed), tuple(added), _first_day(dict(box)))
        for box, (removed, added) in found.items()
    )
    changes = tuple(sorted(changes, key=lambda change: change.since))
    return Difference(_grade(changes, today), changes, _reworded(old, new), space)


def _grade(changes: tuple[Change, ...], today: date) -> Grade:
    if not changes:
        return "patch"
    return "major" if any(change.since < today for change in changes) else "minor"


def _first_day(box: Box) -> date:
    """The first day of handling a box holds; nothing is handled before it happened."""
    return max(_earliest(box["incident"]), _earliest(box["handling"]))


def _earliest(values: Iterable[Value]) -> date:
    return min(value for value in values if isinstance(value, date))


def _space(old: Rulebook, new: Rulebook) -> Box:
    space: Box = {fact: frozenset(map(str, values)) for fact, values in FACTS.items()}
    for clock in _CLOCKS:
        rules = [rule for book in (old, new) for rule in book.rules if rule.by == clock]
        cuts = {version.since for rule in rules for version in rule.history}
        space[clock] = frozenset(cuts | {date.min})
    return space


def _topics(book: Rulebook) -> set[Effect | str]:
    """The effects to compare: each assignment, each question, and the class as one, for only the gravest counts."""
    versions = [version for rule in book.rules for version in rule.history if version.speaks]
    effects = {effect for version in versions for effect in _effects(version)}
    return {CLASS if isinstance(effect, ViolationClass) else effect for effect in effects}


def _effects(version: Version) -> frozenset[Effect]:
    rest = (version.class_, version.review)
    return frozenset(version.assigns) | {effect for effect in rest if effect}


def _about(topic: Effect | str, version: Version) -> frozenset[Effect]:
    return frozenset(
        effect
        for effect in _effects(version)
        if effect == topic or (topic == CLASS and isinstance(effect, ViolationClass))
    )


def _changes(
    topic: Effect | str, old: Rulebook, new: Rulebook, space: Box
) -> Iterator[tuple[Box, frozenset[Effect], frozenset[Effect]]]:
    """The boxes in which what is said about a topic changes, with what was said and what will be."""
    before, after = _voices(topic, old, space, False), _voices(topic, new, space, True)
    twins = {_key(voice) for voice in before} & {_key(voice) for voice in after}
    changed = [voice for voice in (*before, *after) if _key(voice) not in twins]
    unchanged = [voice for voice in (*before, *after) if _key(voice) in twins]
    start = {**space, "status": _ASN} if topic == CLASS else space
    for box, live in _leaves(start, changed, unchanged):
        was, will = _said(live, False), _said(live, True)
        if was != will and _earliest(box["incident"]) <= max(_days_in(box["handling"], space["handling"])):
            yield box, was, will


def _days_in(handling: frozenset[Value], cuts: frozenset[Value]) -> list[date]:
    """The last day, or a day as good, of each segment."""
    days = sorted(cut for cut in cuts if isinstance(cut, date))
    following = dict(zip(days, [*days[1:], date.max], strict=True))
    return [date.fromordinal(following[day].toordinal() - 1) for day in handling if isinstance(day, date)]


def _key(voice: _Voice) -> _Voice:
    return replace(voice, new=False, box=_Frozen(voice.box))


class _Frozen(dict[str, frozenset[Value]]):
    """A box that can be a member of a set."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


def _voices(topic: Effect | str, book: Rulebook, space: Box, new: bool) -> list[_Voice]:
    about = {rule.id for rule in book.rules if any(_about(topic, version) for version in rule.history)}
    size = 0
    while size < len(about):
        size = len(about)
        about |= {rule.id for rule in book.rules if about & set(rule.exception_to)}
    return [
        _Voice(
            rule.id,
            _region(rule, number, space),
            _about(topic, version),
            frozenset(rule.exception_to) & about,
            new,
        )
        for rule in book.rules
        if rule.id in about
        for number, version in enumerate(rule.history)
        if version.speaks
    ]


def _region(rule: Rule, number: int, space: Box) -> Box:
    """Where a version speaks, named by what it narrows."""
    since, until = rule.interval(number)
    days = (cut for cut in space[rule.by] if isinstance(cut, date))
    segments = frozenset[Value](cut for cut in days if since <= cut and (until is None or cut < until))
    return {**{fact: frozenset[Value](values) for fact, values in rule.given.items()}, rule.by: segments}


def _leaves(box: Box, changed: list[_Voice], unchanged: list[_Voice]) -> Iterator[tuple[Box, list[_Voice]]]:
    """Splits a box until every voice that touches it covers it; boxes that no changed voice touches are dropped."""
    changed = [voice for voice in changed if _touches(voice, box)]
    if not changed:
        return
    unchanged = [voice for voice in unchanged if _touches(voice, box)]
    live = [*changed, *unchanged]
    split = next(((name, v.box[name]) for v in live for name in v.box if not box[name] <= v.box[name]), None)
    if split is None:
        yield box, live
        return
    name, values = split
    for part in (box[name] & values, box[name] - values):
        yield from _leaves({**box, name: part}, changed, unchanged)


def _touches(voice: _Voice, box: Box) -> bool:
    return all(box[name] & values for name, values in voice.box.items())


def _said(live: list[_Voice], new: bool) -> frozenset[Effect]:
    """What the voices of one book say together, less what surviving exceptions defeat; of classes the gravest."""
    voices = [voice for voice in live if voice.new is new]
    said = {effect for voice in voices if not _beaten(voice, voices) for effect in voice.says}
    classes = [effect for effect in said if isinstance(effect, ViolationClass)]
    return frozenset({max(classes, key=list(ViolationClass).index)} if classes else said)


def _beaten(voice: _Voice, voices: list[_Voice]) -> bool:
    return any(voice.rule in other.beats and not _beaten(other, voices) for other in voices)


def _merged(
    changes: Iterable[tuple[Box, frozenset[Effect], frozenset[Effect]]],
) -> list[tuple[Box, frozenset[Effect], frozenset[Effect]]]:
    """The same boxes, with neighbours that differ in one fact or clock put together as far as possible."""
    found = list(changes)
    for name in found[0][0] if found else ():
        joined: dict[object, tuple[Box, frozenset[Effect], frozenset[Effect]]] = {}
        for box, was, will in found:
            rest = (tuple(item for item in box.items() if item[0] != name), was, will)
            values = box[name] | (joined[rest][0][name] if rest in joined else frozenset())
            joined[rest] = ({**box, name: values}, was, will)
        found = list(joined.values())
    return found


def _reworded(old: Rulebook, new: Rulebook) -> tuple[str, ...]:
    """The rules that stand in both books with the same conditions and effects, but other words or authority."""
    before = {rule.id: rule for rule in old.rules}
    return tuple(
        rule.id
        for rule in new.rules
        if rule.id in before and rule != before[rule.id] and _core(rule) == _core(before[rule.id])
    )


def _core(rule: Rule) -> tuple[object, ...]:
    says = [(version.since, _effects(version), version.speaks) for version in rule.history]
    return rule.given, rule.by, rule.exception_to, says
