"""The golden file of the rulebook: one situation for each combination of rules that decides, with what it leads to.

Written anew with `python -m tests.routing.rules.golden`; a change of this file is a change of what the rulebook says.
"""

import json
import random
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from contracts.codes import Role
from services.routing.core.engine import Engine, Hits
from services.routing.core.rules import Assign, Rule, Rulebook, Version
from services.routing.core.vocabulary import FACTS, INDEX, Situation
from services.routing.rulebook_files import load_rulebook

FILE = Path(__file__).parents[1] / "examples" / "golden.json"
SEED = 20220922
ROUNDS = 6
"""Situations drawn for each rule version on each of the three days around its beginning, two a day."""


@dataclass(frozen=True)
class Golden:
    """A situation on two days and the lines it leads to."""

    situation: Situation
    incident: date
    handling: date
    lines: frozenset[str]


def outcome(hits: Hits) -> frozenset[str]:
    """What a decision shows of the rules that decide: parts with their authority, classes and questions."""
    parts: dict[tuple[str, ...], tuple[Assign, list[str]]] = {}
    lines = set[str]()
    for hit in hits.applied:
        for assign in hit.version.assigns:
            if not assign.manual:
                key = (assign.agency, assign.office, assign.role, assign.when, str(assign.repeated))
                basis = parts.setdefault(key, (assign, []))[1]
                basis += [str(citation) for citation in hit.version.basis if str(citation) not in basis]
        lines |= _speech(hit.rule, hit.version)
    held = {(a.agency, a.office, a.when) for a, _ in parts.values() if a.role is not Role.INFORMATION}
    for assign, basis in parts.values():
        if assign.role is not Role.INFORMATION or (assign.agency, assign.office, assign.when) not in held:
            lines.add(_line(assign, basis))
    return frozenset(lines)


def drawn(book: Rulebook, rng: random.Random) -> Iterator[tuple[set[Hashable], Situation, date, date]]:
    """Situations for each value a rule version accepts and each condition it sets, around the day it begins.

    Each comes with what it tries, so that one of every kind is kept.
    """
    days = around(book)
    for rule in book.rules:
        wishes = [(fact, value) for fact in rule.given for value in (*sorted(rule.given[fact]), None)]
        for version in rule.history:
            for number, wish in enumerate([*wishes, *(None,) * ROUNDS]):
                own = version.since + timedelta(days=(0, -1, 1)[number % 3] if wish is None else 0)
                other = rng.choice(days)
                dates = (own, other) if rule.by == "incident" else (other, own)
                yield {(rule.id, own), (rule.id, version.since, wish)}, situation(rule, rng, wish), *dates


def situation(rule: Rule, rng: random.Random, wish: tuple[str, str | None] | None = None) -> Situation:
    """A situation that a rule accepts; with the wished value of a fact, or outside its values where that is None."""
    chosen = []
    for fact, values in FACTS.items():
        accepted = rule.given.get(fact, frozenset(values))
        if wish and fact == wish[0]:
            accepted = frozenset({wish[1]}) if wish[1] else frozenset(values) - accepted or accepted
        chosen.append(str(rng.choice(sorted(accepted))))
    return tuple(chosen)


def around(book: Rulebook) -> list[date]:
    """The days before, on and after every change of the rulebook."""
    cuts = {version.since for rule in book.rules for version in rule.history}
    return sorted({cut + timedelta(days=n) for cut in cuts for n in (-1, 0, 1)})


def generated(book: Rulebook) -> list[Golden]:
    """One situation for each combination of rule versions the seeded sample reaches, and for each value and day tried."""
    engine, seen, found = Engine(book), set[Hashable](), list[Golden]()
    for tried, facts, incident, handling in drawn(book, random.Random(SEED)):
        hits = engine.decide(facts, incident, handling)
        keys = _shown(hits, facts) | tried
        if not keys <= seen:
            seen |= keys
            found.append(Golden(facts, incident, handling, outcome(hits)))
    return found


def _shown(hits: Hits, facts: Situation) -> set[Hashable]:
    """What a situation shows: a combination of versions, and of each version the values it accepted."""
    shown: set[Hashable] = {tuple((hit.rule.id, hit.version.since) for hit in hits.applied)}
    for hit in hits.applied:
        name = (hit.rule.id, hit.version.since)
        shown |= {(name, fact, facts[INDEX[fact]]) for fact in hit.rule.given}
    return shown


def stored() -> list[Golden]:
    """The golden file as it is committed."""
    raw = json.loads(FILE.read_text("utf-8"))
    return [
        Golden(
            tuple(facts.split()),
            date.fromisoformat(incident),
            date.fromisoformat(handling),
            frozenset(raw["lines"][number] for number in numbers),
        )
        for facts, incident, handling, numbers in raw["cases"]
    ]


def written(cases: list[Golden]) -> str:
    """The text of the golden file: every line once, then one situation a line."""
    lines = sorted(set[str]().union(*(case.lines for case in cases)))
    number = {line: n for n, line in enumerate(lines)}
    rows = [
        json.dumps(
            [
                " ".join(c.situation),
                str(c.incident),
                str(c.handling),
                sorted(number[line] for line in c.lines),
            ]
        )
        for c in cases
    ]
    told = ",\n  ".join(json.dumps(line, ensure_ascii=False) for line in lines)
    joined = ",\n  ".join(rows)
    return f'{{\n "facts": {json.dumps(" ".join(FACTS))},\n "lines": [\n  {told}\n ],\n "cases": [\n  {joined}\n ]\n}}\n'


def _speech(rule: Rule, version: Version) -> set[str]:
    asked = {f"review {rule.id}: {version.review.en}"} if version.review else set()
    return asked | ({f"class {version.class_}"} if version.class_ else set())


def _line(assign: Assign, basis: list[str]) -> str:
    limit = assign.deadline
    within = f" within {limit.count} {limit.unit} since {limit.since}" if limit else ""
    until = f" until {' '.join(sorted(assign.until))}" if assign.until else ""
    again = " at the second" if assign.repeated else ""
    head = f"{assign.agency} {assign.role} {assign.office} {assign.when}"
    return f"{head}{again}{within}{until} by {'; '.join(sorted(basis))}"


if __name__ == "__main__":
    FILE.write_text(written(generated(load_rulebook())), encoding="utf-8")
