"""Decisions a second beside ZEN (the fastest third-party engine on PyPI for such a table), on the same rules."""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import zen

from contracts.codes import Act, Status
from contracts.door import read_report
from contracts.facts import ReportFacts, facts_of
from services.routing.core.engine import Engine
from services.routing.core.rules import Both, Rule, Rulebook, Version
from services.routing.core.vocabulary import FACTS, NAMES, Situation
from services.routing.deciding import load_judge
from services.routing.rulebook_files import load_rulebook
from tests.bench.page import put
from tests.builders import TODAY, a_report

DAY = date(2024, 10, 31)
ROUNDS = 5


def table_of(book: Rulebook) -> dict[str, Any]:
    """The rules in force on DAY, without exceptions, as one ZEN decision table that collects every match."""
    rows = []
    for rule in (rule for rule in book.rules if rule.version_on(DAY)):
        cells = {
            fact: ", ".join(f"'{value}'" for value in sorted(values)) for fact, values in rule.given.items()
        }
        rows.append({"_id": rule.id, **{name: cells.get(name, "") for name in NAMES}, "rule": f"'{rule.id}'"})
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "field": name} for name in NAMES],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": rows,
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
        {
            "id": "table",
            "type": "decisionTableNode",
            "name": "table",
            "content": table,
            "position": {"x": 0, "y": 0},
        },
        {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
    ]
    edges = [
        {"id": "e1", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "e2", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    return {"nodes": nodes, "edges": edges}


def plain(book: Rulebook) -> Rulebook:
    """The same table for our engine: exceptions left out, because a decision table has none."""
    rules = tuple(Rule(r.id, r.row, r.title, r.given, r.by, r.history) for r in book.rules)
    return Rulebook(book.id, book.version, book.digest, book.sources, rules)


def situations(count: int) -> list[Situation]:
    """Situations as reports bring them: half of the facts as a real report has them, the others at random."""
    dice = random.Random(2024)
    return [tuple(str(dice.choice(values)) for values in FACTS.values()) for _ in range(count)]


def grown(size: int) -> Rulebook:
    """A book of `size` random rules, to see whether the cost grows."""
    dice = random.Random(size)
    rules = []
    for number in range(size):
        chosen = dice.sample(NAMES, 4)
        given = {
            fact: frozenset(map(str, dice.sample(FACTS[fact], max(1, len(FACTS[fact]) // 2))))
            for fact in chosen
        }
        rules.append(
            Rule(f"r{number}", "", Both("", ""), given, "handling", (Version(date(2020, 1, 1), ()),))
        )
    return Rulebook("grown", "1", "", {}, tuple(rules))


def facts_as_they_come(count: int) -> list[ReportFacts]:
    """Reports as a busy day brings them: few regions have most of them, an act lies one to thirty days back."""
    dice, base = random.Random(7), facts_of(read_report(a_report(), TODAY), DAY)
    towns = [f"kemendagri:{code}" for code in ("16.07", "64.02", "63.08", "18.72", "52.04", "33.18", "73.71")]
    found = []
    for _ in range(count):
        town, back = towns[min(int(dice.expovariate(0.6)), len(towns) - 1)], int(dice.expovariate(0.3)) % 30
        person = base.persons[0].model_copy(
            update={
                "status": dice.choice((Status.PNS, Status.PNS, Status.PPPK, Status.KEPALA_DESA)),
                "employer_region": town,
                "numbered": dice.random() < 0.3,
            }
        )
        act = base.acts[0].model_copy(update={"code": dice.choice(tuple(Act)[:10])})
        days = {"occurred_on": DAY - timedelta(back), "known_on": DAY - timedelta(dice.randint(0, back))}
        update = {**days, "reported_on": DAY, "region": town, "evidence": dice.randint(0, 3)}
        found.append(base.model_copy(update={**update, "persons": (person,), "acts": (act,)}))
    return found


def rate(work: Callable[[Any], Any], items: Sequence[Any], rounds: int = ROUNDS) -> float:
    """Items a second: the median of several rounds."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        for item in items:
            work(item)
        found.append(len(items) / (time.perf_counter() - started))
    return statistics.median(found)


def main() -> None:
    """Print the figures; with `--keep` they become a section of docs/performance.md."""
    book = load_rulebook()
    ours, cases = Engine(plain(book)), situations(2000)
    content = zen.ZenDecisionContent(json.dumps(table_of(book)))
    theirs = zen.ZenEngine({"loader": lambda _key: content})
    contexts = [dict(zip(NAMES, case, strict=True)) for case in cases]
    for case, context in zip(cases[:500], contexts, strict=False):
        result = theirs.evaluate("book", context)["result"]
        assert [row["rule"] for row in result] == [hit.rule.id for hit in ours.decide(case, DAY, DAY).applied]
    zens = rate(lambda context: theirs.evaluate("book", context), contexts)
    figures = {
        "ZEN, same table": zens,
        "engine, facts in memory": rate(lambda case: ours.decide(case, DAY, DAY), cases),
        **{f"engine, {size:,} random rules": _grown(size, cases) for size in (300, 3000)},
    }
    judge, reports = load_judge(), facts_as_they_come(20_000)
    figures["whole decision, seen for the first time"] = rate(
        lambda one: judge.decide(one, DAY, ()), reports, rounds=1
    )
    figures["whole decision, a day's reports"] = rate(lambda one: judge.decide(one, DAY, ()), reports)
    text = section(figures, zens)
    print(f"\n{text}")
    if "--keep" in sys.argv:
        put("Decisions", text)


def section(figures: dict[str, float], zens: float) -> str:
    """What the page says of it."""
    rows = [f"| {name} | {value:,.0f} /s | {value / zens:.1f} |" for name, value in figures.items()]
    return "\n".join(
        [
            f"A second and core, medians of {ROUNDS}, beside ZEN (the fastest engine for such a table on PyPI); the answers "
            "of both were compared on 500 cases first. A *whole decision* derives the facts, asks the table for every "
            "person and act, and writes why, by which article, and why not elsewhere; ZEN's answer is the bare rules.",
            "",
            "| decisions | median | of ZEN |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


def _grown(size: int, cases: list[Situation]) -> float:
    engine, few = Engine(grown(size)), cases[:200]
    return rate(lambda case: engine.decide(case, DAY, DAY), few)


if __name__ == "__main__":
    main()
