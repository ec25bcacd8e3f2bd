"""The real cases step by step to their ends, as signed in tests/cases/lives.yaml."""

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from contracts.door import read_report
from contracts.facts import ReportFacts, facts_of
from contracts.steps import Matter, Said
from services.routing.core.admitting import refusal_of
from services.routing.core.decide import Judge
from services.routing.core.life import Life, Step, life_of
from tests.builders import TODAY, read_case

FOLDER = Path(__file__).parents[2] / "cases"
LIVES: list[dict[str, Any]] = YAML(typ="safe").load((FOLDER / "lives.yaml").read_text("utf-8"))["lives"]


def steps_of(life: dict[str, Any]) -> list[Step]:
    """The steps of a signed life, each at the beginning of its day."""
    return [
        Step(
            number,
            datetime.combine(step["on"], datetime.min.time(), UTC),
            step["by"],
            step.get("office"),
            said_in(step),
        )
        for number, step in enumerate(life["steps"], 1)
    ]


def said_in(step: dict[str, Any]) -> Said:
    event, _, result = step["say"].partition(":")
    more = {"to": step.get("to"), "office": step.get("to_office"), "person": step.get("person")}
    return Said.model_validate({"event": event, "result": result or None, "on": step["on"], **more})


def play(life: dict[str, Any], judge: Judge) -> tuple[ReportFacts, list[Life]]:
    """The case after its opening and after each step; every step must be possible when it is said."""
    report = read_case(FOLDER / f"{life['case']}.json")["report"]
    opened: date = life["opened_on"]
    facts = facts_of(read_report(report, TODAY), opened)
    steps = steps_of(life)
    found = [life_of(facts, opened, [], [], judge)]
    for number, step in enumerate(steps):
        refused = refusal_of(found[-1], facts, step.said, step.by, step.office, TODAY, {})
        assert refused is None, (life["case"], step.said, refused)
        done = steps[: number + 1]
        found.append(life_of(facts, opened, [one.said.on for one in done], done, judge))
    return facts, found


def stands(matter: Matter) -> str:
    return f"{matter.state} {matter.owner.agency if matter.owner else 'closed'}"


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life["case"])
def test_a_real_case_stands_after_each_step_where_the_officer_signed(
    life: dict[str, Any], judge: Judge
) -> None:
    _, found = play(life, judge)
    for then, now in zip((life["then"], *(step["then"] for step in life["steps"])), found, strict=True):
        expected = {matter.ref: then.get(matter.ref, then["all"]) for matter in now.matters}
        assert {matter.ref: stands(matter) for matter in now.matters} == expected


def test_every_real_case_is_played() -> None:
    assert [life["case"] for life in LIVES] == sorted(path.stem for path in FOLDER.glob("TC*.json"))


def test_a_year_of_every_real_case_takes_less_than_a_second(judge: Judge) -> None:
    for life in LIVES:
        play(life, judge)
    begun = time.process_time()
    for life in LIVES:
        play(life, judge)
    assert time.process_time() - begun < 1
