"""The nets that catch a wrong rulebook: signed examples, cut-overs and real cases by decisions, golden by the engine."""

import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from contracts.door import read_progress, read_report
from contracts.facts import ReportFacts, facts_of
from contracts.progress import Progress, about
from services.routing.core.admissibility import admission_of
from services.routing.core.decide import Judge
from services.routing.core.engine import Engine
from services.routing.core.reference import holds as matches
from services.routing.core.route import Reasoner
from services.routing.core.rules import Rule
from services.routing.core.situation import as_identified, situations_of
from services.routing.core.vocabulary import Situation
from tests.builders import TODAY, decided, read_case
from tests.routing.rules.golden import around, outcome, situation, stored
from tests.routing.rules.mutants import Mutant
from tests.routing.rules.signed import (
    CutOver,
    Example,
    always,
    broken,
    cut_overs,
    decide,
    examples,
    holds,
)

CASES = Path(__file__).parents[2] / "cases"
_FIELDS = ("agency", "role", "when", "office", "active")


@dataclass(frozen=True)
class Probe:
    """A question with one answer per rulebook; it can only change where a rule accepts one of the situations."""

    situations: tuple[Situation, ...]
    answer: Callable[[Judge], Hashable]
    right: Hashable


class Nets:
    """The nets, laid once with the answers of the real rulebook."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._signed = [*_examples(judge), *_cut_overs(judge), *_cases(judge)]
        self._golden = stored()
        self._days = around(judge.reasoner.book)

    def signed_kills(self, mutant: Mutant) -> bool:
        """Whether a signed example, cut-over or real case notices."""
        judge = replace(self._judge, reasoner=Reasoner(mutant.book))
        touched = (p for p in self._signed if any(_touches(mutant, s) for s in p.situations))
        return any(probe.answer(judge) != probe.right for probe in touched)

    def golden_kills(self, mutant: Mutant) -> bool:
        """Whether the golden file notices."""
        engine = Engine(mutant.book)
        return any(
            outcome(engine.decide(case.situation, case.incident, case.handling)) != case.lines
            for case in self._golden
            if _touches(mutant, case.situation)
        )

    def alike(self, mutant: Mutant, rng: random.Random, tries: int) -> bool:
        """Whether no difference shows in `tries` situations drawn from all that the rule accepts or accepted."""
        real, wrong = Engine(self._judge.reasoner.book), Engine(mutant.book)
        shapes: Sequence[Rule] = [rule for rule in (mutant.changed, mutant.rule) if rule]
        edges = [v.since + timedelta(days=n) for v in mutant.rule.history for n in (-2, -1, 0, 1)]
        for number in range(tries):
            shape = shapes[number % len(shapes)]
            facts, own, other = situation(shape, rng), rng.choice(edges), rng.choice(self._days)
            days: tuple[date, date] = (own, other) if shape.by == "incident" else (other, own)
            if outcome(real.decide(facts, *days)) != outcome(wrong.decide(facts, *days)):
                return False
        return True


def _touches(mutant: Mutant, facts: Situation) -> bool:
    """Whether the mistake can show in a situation on any day; a changed condition only where the two disagree."""
    was, is_ = matches(mutant.rule, facts), mutant.changed is not None and matches(mutant.changed, facts)
    if mutant.changed and replace(mutant.changed, given=mutant.rule.given) == mutant.rule:
        return was != is_
    return was or is_


def _examples(judge: Judge) -> list[Probe]:
    probes = []
    for example in examples():
        at = replace(judge, calendars=always(example)) if example.calendar else judge
        met = _situations(at, example.facts, example.handled_on, example.progress)
        probes.append(_probe(judge, met, partial(_broken, example)))
    return probes


def _cut_overs(judge: Judge) -> list[Probe]:
    probes = []
    for cut in cut_overs():
        for days in (-1, 0, 1):
            example = cut.at(cut.on + timedelta(days=days))
            at = replace(judge, calendars=always(example)) if example.calendar else judge
            met = _situations(at, example.facts, example.handled_on, example.progress)
            probes.append(_probe(judge, met, partial(_lines, cut, example)))
    return probes


def _broken(example: Example, judge: Judge) -> tuple[str, ...]:
    return tuple(broken(judge, example))


def _lines(cut: CutOver, example: Example, judge: Judge) -> tuple[bool, ...]:
    person = decide(judge, example).persons[0]
    return tuple(holds(line, person) for line in (*cut.before, *cut.after))


def _cases(judge: Judge) -> list[Probe]:
    probes = []
    for path in sorted(CASES.glob("TC*.json")):
        case = read_case(path)
        day = date.fromisoformat(case["handled_on"])
        facts = facts_of(read_report(case["report"], TODAY), day, keep_refs=True)
        met = _situations(judge, facts, day, read_progress(case["progress"]))
        probes.append(_probe(judge, met, partial(_told, case)))
    return probes


def _told(case: dict[str, Any], judge: Judge) -> str:
    """What tests/routing/core/test_cases.py asserts of a case, as one text."""
    final, opened = _persons(judge, case, case["progress"]), _persons(judge, case, [])
    found = [
        sum(all(a[n] == part[n] for n in _FIELDS if n in part) for a in final[part["person"]]["assignments"])
        for part in case["expected"]
    ]
    out = [
        (ref, agency, any(a["agency"] == agency for a in final[ref]["assignments"]))
        for ref, agencies in case["not_assigned"].items()
        for agency in agencies
    ]
    told = {ref: sorted({a["agency"] for a in p["assignments"] if a["active"]}) for ref, p in opened.items()}
    signed = [[final[ref][name] for ref in case.get(name, {})] for name in ("stage", "class")]
    asked = {q["rule"] for q in next(iter(final.values()))["review"]} & set(case.get("review", []))
    return repr((found, out, told, signed, sorted(asked)))


def _persons(judge: Judge, case: dict[str, Any], progress: list[dict[str, Any]]) -> dict[str, Any]:
    document: Any = decided(judge, case["report"], case["handled_on"], progress).document()
    return {person["ref"]: person for person in document["persons"]}


def _probe(judge: Judge, met: tuple[Situation, ...], answer: Callable[[Judge], Hashable]) -> Probe:
    return Probe(met, answer, answer(judge))


def _situations(
    judge: Judge, facts: ReportFacts, handled_on: date, progress: tuple[Progress, ...]
) -> tuple[Situation, ...]:
    """All situations of a report, with its progress and without."""
    election = (facts.election, facts.election_year, facts.election_office, facts.psu)
    stage = judge.calendars.stage_of(*election, facts.region, facts.occurred_on)
    admission = admission_of(facts, handled_on, judge.workdays)
    found = {
        met
        for person in facts.persons
        for events in (about(progress, person.ref), ())
        for met in situations_of(facts, as_identified(person, events), events, stage, admission)
    }
    return tuple(sorted(found))
