"""Writes the difference of two rulebooks as lines that a policy officer reads."""

from collections.abc import Iterator
from datetime import date

from services.routing.core.rules import Assign, Both, Rulebook
from services.routing.core.vocabulary import FACTS
from services.routing.rules.diffing import Box, Change, Difference, Effect, Value

LIMIT = 20
"""The most boxes that are written out."""

_MEANS = {
    "patch": "no box of facts changes its outcome",
    "minor": "outcomes change, none of them before the day of publication",
    "major": "outcomes change for days that have passed; cases decided then differ",
}


def report(old: Rulebook, new: Rulebook, difference: Difference, today: date) -> str:
    """The grade, the boxes with what goes (-) and what comes (+), and the rules that were only reworded."""
    return "\n".join(_lines(old, new, difference, today)) + "\n"


def _lines(old: Rulebook, new: Rulebook, difference: Difference, today: date) -> Iterator[str]:
    yield f"{old.id} {old.version} -> {new.id} {new.version}, published {today}"
    yield f"{difference.grade}: {_MEANS[difference.grade]}"
    if difference.changes:
        past = len(difference.past(today))
        yield f"boxes that change: {len(difference.changes)}, of them in the past: {past}"
    for change in difference.changes[:LIMIT]:
        yield ""
        yield from _change(change, difference.space, today)
    if len(difference.changes) > LIMIT:
        yield f"\n… and {len(difference.changes) - LIMIT} more boxes"
    if difference.reworded:
        yield "\nOnly reworded, or cited otherwise: " + ", ".join(difference.reworded)


def _change(change: Change, space: Box, today: date) -> Iterator[str]:
    yield f"[{'past' if change.since < today else 'future'}] {described(change.box, space)}"
    for sign, effects in (("-", change.removed), ("+", change.added)):
        for effect in effects:
            yield f"  {sign} {effect_in_words(effect)}"


def described(box: Box, space: Box) -> str:
    """A box by what it narrows: `status = PNS, CPNS; handling 2024-09-04 until 2025-10-16`."""
    facts = [
        f"{fact} = {', '.join(str(value) for value in FACTS[fact] if value in box[fact])}"
        for fact in FACTS
        if box[fact] != space[fact]
    ]
    spans = [
        f"{clock} {_spans(box[clock], space[clock])}"
        for clock in ("incident", "handling")
        if box[clock] != space[clock]
    ]
    return "; ".join([*facts, *spans]) or "everything"


def effect_in_words(effect: Effect) -> str:
    """One effect on one line, in the codes of the contract."""
    if isinstance(effect, Both):
        return f"question: {effect.id} / {effect.en}"
    if isinstance(effect, Assign):
        return _assignment(effect)
    return f"class {effect}"


def _assignment(assign: Assign) -> str:
    marks = [name for name in ("manual", "repeated") if getattr(assign, name)]
    limit = assign.deadline
    deadline = [f"within {limit.count} {limit.unit} since {limit.since}"] if limit else []
    ends = [f"until {', '.join(sorted(assign.until))}"] if assign.until else []
    words = f"{assign.agency} {assign.role} {assign.office} at {assign.when}"
    return ", ".join([words, *marks, *deadline, *ends])


def _spans(held: frozenset[Value], cuts: frozenset[Value]) -> str:
    """The segments a box holds as ranges of days, neighbours put together; `until` is the first day outside."""
    spans: list[list[str]] = []
    inside = False
    for day in sorted(cut for cut in cuts if isinstance(cut, date)):
        if day in held and not inside:
            spans.append(["before" if day == date.min else str(day), ""])
        elif day not in held and inside:
            spans[-1][1] = str(day)
        inside = day in held
    return " and ".join(_span(*span) for span in spans)


def _span(since: str, until: str) -> str:
    if since == "before":
        return f"before {until}"
    return f"{since} until {until}" if until else f"from {since}"
