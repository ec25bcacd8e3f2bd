"""The signed examples of every row of the decision table hold, or say as a finding why one does not yet."""

import pytest

from services.routing.core.decide import Judge
from tests.routing.rules.signed import ROWS, Example, broken, examples, not_expressible

SIGNED = examples()


@pytest.mark.parametrize("example", SIGNED, ids=lambda e: f"{e.row}-{e.name.replace(' ', '-')}")
def test_a_signed_example_holds(judge: Judge, example: Example) -> None:
    failed = broken(judge, example)
    if example.finding:
        assert failed, f"the finding is settled, take it away: {example.finding}"
    else:
        assert not failed


@pytest.mark.parametrize("row", [row for row in ROWS if row not in not_expressible()])
def test_every_row_has_an_example_for_and_one_against(row: str) -> None:
    assert {example.applies for example in SIGNED if example.row == row} == {True, False}


def test_a_row_no_report_can_reach_says_why_and_has_no_example() -> None:
    assert list(not_expressible()) == ["R09"]
    assert all(len(reason) > 40 for reason in not_expressible().values())
    assert not [example.name for example in SIGNED if example.row in not_expressible()]


def test_every_example_has_its_own_name_and_says_something() -> None:
    names = [example.name for example in SIGNED]
    assert len(names) == len(set(names))
    assert all(example.wanted or example.unwanted or example.whole for example in SIGNED)
    assert all(example.wanted or example.whole for example in SIGNED if example.applies)
    assert all(example.unwanted for example in SIGNED if not example.applies)
