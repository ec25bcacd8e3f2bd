"""The 22 real cases end where the agencies sent them, or the case file says why not (`finding`)."""

from pathlib import Path
from typing import Any

import pytest

from services.routing.core.decide import Judge
from tests.builders import decided, read_case

CASES = sorted((Path(__file__).parents[2] / "cases").glob("TC*.json"))
FIELDS = ("agency", "role", "when", "office", "active")


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read_case(request.param)


def test_every_expected_part_is_there_once(case: dict[str, Any], judge: Judge) -> None:
    persons = _persons(judge, case, case["progress"])
    for expected in case["expected"]:
        mine = persons[expected["person"]]["assignments"]
        found = [a for a in mine if all(a[name] == expected[name] for name in FIELDS if name in expected)]
        assert len(found) == 1, expected


def test_nobody_else_is_drawn_in(case: dict[str, Any], judge: Judge) -> None:
    persons = _persons(judge, case, case["progress"])
    for ref, agencies in case["not_assigned"].items():
        explained = {n["agency"]: n["because"] for n in persons[ref]["not_assigned"]}
        assert all(explained.get(agency) for agency in agencies), (ref, agencies, explained)


def test_the_opening_tells_exactly_these_agencies(case: dict[str, Any], judge: Judge) -> None:
    persons = _persons(judge, case, [])
    told = {ref: sorted({a["agency"] for a in p["assignments"] if a["active"]}) for ref, p in persons.items()}
    assert told == case["offered_at_opening"]


def test_stage_class_and_questions_are_as_signed(case: dict[str, Any], judge: Judge) -> None:
    persons = _persons(judge, case, case["progress"])
    for name in ("stage", "class"):
        assert {ref: persons[ref][name] for ref in case.get(name, {})} == case.get(name, {})
    assert set(case.get("review", [])) <= {q["rule"] for q in next(iter(persons.values()))["review"]}


def _persons(judge: Judge, case: dict[str, Any], progress: list[dict[str, Any]]) -> dict[str, Any]:
    document: Any = decided(judge, case["report"], case["handled_on"], progress).document()
    return {person["ref"]: person for person in document["persons"]}
