"""`netral inbox` shows as many cases as were asked for, however few a page of the service holds."""

from typing import Any

import pytest

from services.cli.casework import cases_from


def served(sizes: list[int]) -> Any:
    """A service whose pages end early, at these sizes; a page never has more than was asked for."""
    case = iter(range(100))

    def page(params: dict[str, str]) -> dict[str, Any]:
        number = int(params.get("cursor", "0"))
        taken = min(sizes[number], int(params["limit"]))
        more = str(number + 1) if number + 1 < len(sizes) else None
        return {"cases": [next(case) for _ in range(taken)], "next_cursor": more}

    return page


@pytest.mark.parametrize(
    ("limit", "cases", "follows"), [(5, 5, "1"), (10, 10, "2"), (13, 13, None), (50, 13, None)]
)
def test_pages_are_read_until_so_many_cases_are_there(limit: int, cases: int, follows: str | None) -> None:
    assert cases_from(served([5, 5, 3]), limit) == {"cases": list(range(cases)), "next_cursor": follows}


def test_no_more_than_so_many_are_asked_for() -> None:
    assert len(cases_from(served([5, 5, 3]), 7)["cases"]) == 7


def test_a_cursor_begins_where_it_says() -> None:
    assert cases_from(served([5, 5, 3]), 50, "2")["cases"] == [0, 1, 2]
