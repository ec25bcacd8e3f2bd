"""No shown number, alone or with sums somebody can ask for, gives away a count below five."""

from hypothesis import given
from hypothesis import strategies as st

from services.routing.core.hiding import FEW, MASKED, hide, hide_parts, small

CELLS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 20)), unique_by=lambda c: c[:2]
)


def table(cells: list[tuple[str, str, int]]) -> list[dict[str, object]]:
    return [{"owner": owner, "state": state, "persons": n} for owner, state, n in cells]


def hide_line(counts: dict[str, int], whole: int | str = 0) -> dict[str, int | str]:
    """The parts of one whole."""
    (shown,) = hide_parts([{"owner": "a", "parts": counts}], ("owner",), "parts", [whole])
    return shown


def test_a_small_count_is_hidden_and_nothing_is_nothing() -> None:
    assert [small(n) for n in (0, 1, 4, 5)] == [0, FEW, FEW, 5]


def test_one_small_cell_takes_the_next_smallest_with_it() -> None:
    assert hide_line({"a": 2, "b": 9, "c": 7}) == {"a": FEW, "b": 9, "c": MASKED}


def test_two_small_cells_that_hold_five_together_protect_each_other() -> None:
    assert hide_line({"a": 2, "b": 9, "c": 3}) == {"a": FEW, "b": 9, "c": FEW}


def test_without_small_cells_everything_is_shown() -> None:
    assert hide_line({"a": 5, "b": 0}) == {"a": 5, "b": 0}


def test_parts_never_add_up_to_a_whole_that_is_hidden() -> None:
    assert hide_line({"a": 59, "b": 0}, MASKED) == {"a": MASKED, "b": 0}
    assert hide_line({"a": 3, "b": 30, "c": 9, "d": 4}, MASKED) == {"a": FEW, "b": 30, "c": MASKED, "d": FEW}
    assert hide_line({"a": 4, "b": 3}, MASKED) == {"a": FEW, "b": FEW}


def test_a_part_of_one_row_is_hidden_where_the_others_would_give_it_away() -> None:
    rows = [{"owner": "x", "state": state, "parts": {"old": n}} for state, n in (("A", 1), ("B", 50))]
    assert hide_parts(rows, ("owner", "state"), "parts", [FEW, MASKED]) == [{"old": FEW}, {"old": MASKED}]


@given(CELLS)
def test_in_every_sum_the_hidden_cells_are_none_or_two_with_five_or_all(
    cells: list[tuple[str, str, int]],
) -> None:
    rows = table(cells)
    shown = hide(rows, ("owner", "state"), ("persons",))
    sums = [range(len(rows))]
    for name in ("owner", "state"):
        sums += [[n for n, row in enumerate(rows) if row[name] == value] for value in {r[name] for r in rows}]
    for places in sums:
        hidden = [int(str(rows[n]["persons"])) for n in places if isinstance(shown[n]["persons"], str)]
        open_ = [n for n in places if not isinstance(shown[n]["persons"], str) and shown[n]["persons"]]
        assert not hidden or (len(hidden) > 1 and sum(hidden) >= 5) or not open_


@given(CELLS)
def test_a_count_that_is_shown_is_right(cells: list[tuple[str, str, int]]) -> None:
    rows = table(cells)
    for row, shown in zip(rows, hide(rows, ("owner", "state"), ("persons",)), strict=True):
        assert shown["persons"] in (row["persons"], FEW, MASKED)
        assert (shown["persons"] == FEW) == (0 < int(str(row["persons"])) < 5)
