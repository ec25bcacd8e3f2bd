"""Unknown facts are first class: which parts are certain now, which are possible, and which one fact to ask for next."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice, product

from services.routing.core.engine import Engine
from services.routing.core.vocabulary import FACTS, INDEX, NAMES, Situation

MOST = 200_000
"""Combinations that are looked at; the facts a report can leave open make at most about 100,000."""

Part = tuple[str, str, str]
"""Agency, role and moment."""
Outcome = frozenset[Part]


@dataclass(frozen=True)
class Outlook:
    """What is certain and possible while facts are unknown; `ask` is the one whose answer settles most, if any does."""

    unknown: tuple[str, ...]
    certain: tuple[Part, ...]
    possible: tuple[Part, ...]
    ask: str | None


def outlook(engine: Engine, situation: Situation, incident: date, handling: date) -> Outlook:
    """Look at every way the unknown facts of one situation could turn out. Pure, and slow on purpose: it is exact."""
    unknown = tuple(name for name in NAMES if situation[INDEX[name]] == "UNKNOWN" and len(FACTS[name]) > 2)
    outcomes = dict(islice(_ways(engine, situation, unknown, incident, handling), MOST))
    certain = frozenset.intersection(*outcomes.values())
    possible = frozenset.union(*outcomes.values()) - certain
    return Outlook(unknown, tuple(sorted(certain)), tuple(sorted(possible)), _next(unknown, outcomes))


def _ways(
    engine: Engine, situation: Situation, unknown: tuple[str, ...], incident: date, handling: date
) -> Iterator[tuple[tuple[str, ...], Outcome]]:
    choices = [[str(value) for value in FACTS[name] if value != "UNKNOWN"] for name in unknown]
    for answers in product(*choices):
        known = list(situation)
        for name, answer in zip(unknown, answers, strict=True):
            known[INDEX[name]] = answer
        yield answers, _outcome(engine, tuple(known), incident, handling)


def _outcome(engine: Engine, situation: Situation, incident: date, handling: date) -> Outcome:
    hits = engine.decide(situation, incident, handling).applied
    return frozenset(
        (str(assign.agency), str(assign.role), assign.when)
        for hit in hits
        for assign in hit.version.assigns
        if not assign.manual
    )


def _next(unknown: tuple[str, ...], outcomes: dict[tuple[str, ...], Outcome]) -> str | None:
    """The fact that leaves the fewest outcomes open on average; None where no single fact settles anything."""
    best, fewest = None, float(len(set(outcomes.values())))
    for place, name in enumerate(unknown):
        left: dict[str, set[Outcome]] = defaultdict(set)
        for answers, outcome in outcomes.items():
            left[answers[place]].add(outcome)
        average = sum(len(found) for found in left.values()) / len(left)
        if average < fewest:
            best, fewest = name, average
    return best
