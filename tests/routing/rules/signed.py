"""Reads the signed examples and says what of them a decision does not keep.

A line of `expect`, `expect_not`, `before` or `after` is `AGENCY ROLE WHEN`, then optionally the office, `active` or
`waiting`, `within N UNIT since EVENT` or `without limit`, and `by SOURCE` (a text that stands in the basis). `*` is any
role or moment. A line may also be `class X`, `stage X` or `review RULE`.

`exactly` is the whole list of who gets which part, each line with its office; a line without `within` has no deadline, and
a list within the list stands for its lines. `each` holds fields with values: the example holds for every one of them.
"""

import re
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from contracts.codes import ElectionKind
from contracts.decision import Assignment, Decision, PersonDecision
from contracts.door import read_progress, read_report
from contracts.facts import ReportFacts, facts_of
from contracts.progress import Progress
from services.routing.core.decide import Judge
from services.routing.core.stages import Calendars, Election, Span
from tests.builders import TODAY, a_report

FOLDER = Path(__file__).parents[1] / "examples"
ROWS = tuple(f"R{number:02}" for number in range(1, 43))

_LINE = re.compile(
    r"(?P<agency>[A-Z0-9_]+|\*)(?: (?P<role>ACTION|COPY|INFORMATION|\*))?(?: (?P<when>[A-Z_]+(?::[A-Z_]+)?|\*))?"
    r"(?: (?P<office>pusat|none|prov:[\d.]+|kabkota:[\d.]+))?(?: (?P<active>active|waiting))?"
    r"(?: within (?P<deadline>\d+ \w+ since \w+)| (?P<limit>without limit))?(?: by (?P<basis>.+))?"
)


@dataclass(frozen=True)
class Example:
    """A report, a day, and what must and must not follow; `finding` says why a line is not kept today."""

    name: str
    row: str
    applies: bool
    facts: ReportFacts
    handled_on: date
    progress: tuple[Progress, ...]
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    finding: str | None = None
    calendar: str | None = None
    whole: frozenset[str] | None = None


@dataclass(frozen=True)
class CutOver:
    """What a day changes, as lines that hold only before and lines that hold only from that day on."""

    on: date
    clock: str
    changes: str
    example: Example
    before: tuple[str, ...]
    after: tuple[str, ...]
    nothing: bool = False

    def at(self, day: date) -> Example:
        """The example with the clock of this cut-over set to a day."""
        if self.clock == "handling":
            return replace(self.example, handled_on=day)
        dates = {"occurred_on": day, "known_on": day, "reported_on": day}
        return replace(self.example, facts=self.example.facts.model_copy(update=dates))


def examples() -> tuple[Example, ...]:
    """Every signed example, in the order of the files."""
    return tuple(_example(one) for raw in _items("*.yaml", "examples") for one in _each(raw))


@cache
def not_expressible() -> dict[str, str]:
    """The rows that no report can reach, each with the reason."""
    return {raw["row"]: raw["reason"] for raw in _items("*.yaml", "not_expressible")}


def cut_overs() -> tuple[CutOver, ...]:
    """Every signed cut-over."""
    return tuple(
        CutOver(
            on=date.fromisoformat(raw["on"]),
            clock=raw["clock"],
            changes=raw["changes"],
            example=_example({"name": raw["changes"], "row": "", "applies": True, **raw}),
            before=tuple(raw.get("before", ())),
            after=tuple(raw.get("after", ())),
            nothing=bool(raw.get("nothing", False)),
        )
        for raw in _items("cut-overs.yaml", "cut_overs")
    )


def decide(judge: Judge, example: Example) -> Decision:
    """The decision on an example, by the calendar it names."""
    if example.calendar:
        judge = replace(judge, calendars=always(example))
    return judge.decide(example.facts, example.handled_on, example.progress)


def broken(judge: Judge, example: Example) -> list[str]:
    """The lines of an example that its decision does not keep."""
    person = decide(judge, example).persons[0]
    missing = [f"missing: {line}" for line in example.wanted if not holds(line, person)]
    unwanted = [f"unwanted: {line}" for line in example.unwanted if holds(line, person)]
    if example.whole is None:
        return missing + unwanted
    given = {_whole(assignment) for assignment in person.assignments}
    missing += [f"missing: {line}" for line in sorted(example.whole - given)]
    return missing + unwanted + [f"unwanted: {line}" for line in sorted(given - example.whole)]


def holds(line: str, person: PersonDecision) -> bool:
    """Whether a line is true of the decision on a person."""
    word, _, rest = line.partition(" ")
    if word in ("class", "stage"):
        return rest == (person.class_ if word == "class" else person.stage)
    if word == "review":
        return any(question.rule == rest for question in person.review)
    match = _LINE.fullmatch(line)
    assert match, f"'{line}' is not a line of an example"
    asked = {name: text for name, text in match.groupdict().items() if text and text != "*"}
    return any(_fits(asked, assignment) for assignment in person.assignments)


def _fits(asked: dict[str, str], given: Assignment) -> bool:
    found = {
        "agency": given.agency,
        "role": given.role,
        "when": given.when,
        "office": given.office or "none",
        "active": "active" if given.active else "waiting",
        "deadline": _deadline(given),
        "limit": "" if given.deadline else "without limit",
    }
    basis = asked.get("basis", "")
    return any(basis in text for text in given.basis) and all(
        found[name] == text for name, text in asked.items() if name != "basis"
    )


def _whole(given: Assignment) -> str:
    """All that a line of `exactly` says."""
    limit = f" within {_deadline(given)}" if given.deadline else ""
    return f"{given.agency} {given.role} {given.when} {given.office or 'none'}{limit}"


def _deadline(given: Assignment) -> str:
    limit = given.deadline
    return f"{limit.count} {limit.unit} since {limit.since}" if limit else ""


def _each(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """The example for each combination of the values of `each`, named after it."""
    fields = raw.get("each", {})
    found = []
    for values in product(*fields.values()) if fields else ():
        chosen = dict(zip(fields, values, strict=True))
        days = {name: chosen.pop(name) for name in ("happened_on", "handled_on") if name in chosen}
        name = f"{raw['name']} ({', '.join(map(str, values))})"
        found.append({**raw, **days, "name": name, "report": {**(raw.get("report") or {}), **chosen}})
    return found or [raw]


def _flat(lines: list[Any]) -> list[str]:
    return [one for line in lines for one in (_flat(line) if isinstance(line, list) else [line])]


def _example(raw: dict[str, Any]) -> Example:
    handled_on = date.fromisoformat(raw.get("handled_on", "2026-06-01"))
    changed = dict(raw.get("report") or {})
    if "happened_on" in raw:
        day = raw["happened_on"]
        changed = {"incident__occurred_on": day, "incident__known_on": day, "reported_on": day, **changed}
    extra = [f"{name} {raw[name]}" for name in ("class", "stage") if name in raw]
    return Example(
        name=raw["name"],
        row=raw["row"],
        applies=raw["applies"],
        facts=facts_of(read_report(a_report(**changed), TODAY), handled_on, keep_refs=True),
        handled_on=handled_on,
        progress=read_progress([_event(event) for event in raw.get("progress", ())]),
        wanted=(*_flat(raw.get("expect", [])), *extra, *(f"review {rule}" for rule in raw.get("review", ()))),
        unwanted=tuple(raw.get("expect_not", ())),
        finding=raw.get("finding"),
        calendar=raw.get("calendar"),
        whole=frozenset(_flat(raw["exactly"])) if "exactly" in raw else None,
    )


def _event(raw: Any) -> dict[str, Any]:
    """`EVENT:RESULT DAY`, or the whole event as a mapping."""
    if isinstance(raw, dict):
        return {"person": "p1", **raw}
    trigger, _, day = raw.partition(" ")
    event, _, result = trigger.partition(":")
    return {"event": event, "person": "p1", "on": day} | ({"result": result} if result else {})


def always(example: Example) -> Calendars:
    """A calendar in which every day is in the campaign, or every day is before designation."""
    last = date(2039, 12, 31)
    campaign = example.calendar == "campaign"
    election = Election(
        kind=ElectionKind(example.facts.election),
        year=example.facts.election_year,
        offices=frozenset(),
        regions=frozenset(),
        psu=False,
        designation=date(2013, 1, 1) if campaign else last,
        campaign=Span(date(2013, 1, 2), last) if campaign else None,
        quiet=None,
        polling=date(2040, 1, 1),
    )
    return Calendars("signed", "", (election,))


def _items(pattern: str, name: str) -> list[dict[str, Any]]:
    return [item for path in sorted(FOLDER.glob(pattern)) for item in _read(path).get(name, [])]


@cache
def _read(path: Path) -> Any:
    return _plain(YAML(typ="safe").load(path.read_text("utf-8")))


def _plain(value: Any) -> Any:
    """YAML days as text, as a report writes them."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
