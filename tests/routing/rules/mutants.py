"""Wrong rulebooks, each wrong in one place: what the tests must notice.

Parts that only a person may give (`manual`) and expected law hand out nothing, so only letting them go automatic is
tried on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from contracts.codes import TRIGGERS, Agency, DeadlineUnit, Role, ViolationClass
from contracts.decision import Deadline
from services.routing.core.rules import Assign, Rule, Rulebook, Version

_AGENCIES, _ROLES, _WHEN = tuple(Agency), tuple(Role), tuple(sorted(TRIGGERS))
_CLASSES = tuple(ViolationClass)[1:]
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Mutant:
    """A rulebook with one mistake; `rule` is the rule as it was, `changed` as it became (None: dropped)."""

    kind: str
    what: str
    rule: Rule
    changed: Rule | None
    book: Rulebook

    def __str__(self) -> str:
        return f"{self.kind}: {self.rule.id} {self.what}".rstrip()


def mutants(book: Rulebook) -> list[Mutant]:
    """Every mutant of a rulebook, in the order of its rules."""
    return [
        Mutant(kind, what, rule, changed, _with(book, rule, changed))
        for rule in book.rules
        for kind, what, changed in (("drop a rule", "", None), *_rules(rule), *_histories(rule))
    ]


def _with(book: Rulebook, rule: Rule, changed: Rule | None) -> Rulebook:
    rules = [changed if old is rule else old for old in book.rules]
    return replace(book, rules=tuple(left for left in rules if left is not None))


def _rules(rule: Rule) -> Iterator[tuple[str, str, Rule]]:
    for fact, values in rule.given.items():
        others = {name: accepted for name, accepted in rule.given.items() if name != fact}
        yield "widen: drop a condition", fact, replace(rule, given=others)
        for value in sorted(values) if len(values) > 1 else ():
            narrower = {**rule.given, fact: values - {value}}
            yield "narrow: remove a value", f"{fact}={value}", replace(rule, given=narrower)
    for name in rule.exception_to:
        left = tuple(other for other in rule.exception_to if other != name)
        yield "drop an exception", f"to {name}", replace(rule, exception_to=left)


def _histories(rule: Rule) -> Iterator[tuple[str, str, Rule]]:
    for number, version in enumerate(rule.history):
        if version.expected:
            continue
        day = str(version.since)
        if len(rule.history) > 1:
            yield "drop a version", day, _having(rule, number, None)
        for days in (-1, 1):
            moved = replace(version, since=version.since + timedelta(days=days))
            yield "shift a since", f"{day} by {days:+d}", _having(rule, number, moved)
        for kind, what, changed in _versions(version):
            yield kind, f"{day} {what}", _having(rule, number, changed)


def _versions(version: Version) -> Iterator[tuple[str, str, Version]]:
    if version.class_:
        yield "other class", "", replace(version, class_=_next(_CLASSES, version.class_))
    if version.review:
        yield "drop a question", "", replace(version, review=None)
    for number, assign in enumerate(version.assigns):
        for kind, changed in _assigns(assign):
            assigns = (*version.assigns[:number], changed, *version.assigns[number + 1 :])
            yield kind, f"{assign.agency} {assign.role} {assign.when}", replace(version, assigns=assigns)


def _assigns(assign: Assign) -> Iterator[tuple[str, Assign]]:
    if assign.manual:
        yield "no person decides", replace(assign, manual=False)
        return
    yield "other agency", replace(assign, agency=_next(_AGENCIES, assign.agency))
    yield "other role", replace(assign, role=_next(_ROLES, assign.role))
    yield "other trigger", replace(assign, when=_next(_WHEN, assign.when))
    yield "other office", replace(assign, office="HOME" if assign.office == "CENTRE" else "CENTRE")
    limit = assign.deadline
    longer = limit.model_copy(update={"count": limit.count + 1}) if limit else _A_WEEK
    yield "other deadline", replace(assign, deadline=longer)
    for event in sorted(assign.until):
        yield f"never concluded by {event}", replace(assign, until=assign.until - {event})


def _having(rule: Rule, number: int, version: Version | None) -> Rule:
    changed = (version,) if version else ()
    return replace(rule, history=(*rule.history[:number], *changed, *rule.history[number + 1 :]))


def _next(values: tuple[_Value, ...], value: _Value) -> _Value:
    return values[(values.index(value) + 1) % len(values)]


_A_WEEK = Deadline(count=7, unit=DeadlineUnit.CALENDAR_DAY, since="OPENED")
