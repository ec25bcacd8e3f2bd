"""Counts nobody may be recognised by: small ones are hidden, and others with them where a sum would give them away."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

SMALL = 5
"""A count below this is not shown: a single case in one place is a person."""
FEW = f"<{SMALL}"
MASKED = "hidden"
"""A larger count that is not shown, because with it and a sum a small one could be computed."""

Row = dict[str, Any]


def hide(
    rows: Sequence[Row], by: Sequence[str], units: Sequence[str], already: Iterable[int] = ()
) -> list[Row]:
    """The cells of a table as they may be shown.

    The sums somebody can ask for are that of the table, and those of the tables with one dimension less. In each of them
    the hidden cells together must be at least two and hold SMALL, or all cells that are not empty are hidden. Those of the
    rows `already` are hidden for another reason.
    """
    masked = set(already)
    sums = [_groups(rows, [name for name in by if name != left_out]) for left_out in by]
    sums.append([range(len(rows))])
    changed = True
    while changed:
        changed = False
        for group in (group for groups in sums for group in groups):
            for unit in units:
                if (more := _to_mask(rows, group, unit, masked)) is not None:
                    masked.add(more)
                    changed = True
    return [
        {**row, **{unit: _shown(row[unit], masked=number in masked) for unit in units}}
        for number, row in enumerate(rows)
    ]


def hide_parts(rows: Sequence[Row], by: Sequence[str], name: str, wholes: Sequence[int | str]) -> list[Row]:
    """The parts `row[name]` of each row as they may be shown beside its whole, and beside each other."""
    cells: list[Row] = []
    already = set()
    for row, whole in zip(rows, wholes, strict=True):
        parts = {len(cells) + place: n for place, n in enumerate(row[name].values())}
        large = [place for place, n in parts.items() if n >= SMALL]
        if whole == MASKED and large:  # or their sum would show it
            already.add(min(large, key=lambda place: (parts[place], place)))
        cells += [{**{key: row[key] for key in by}, "part": part, "n": n} for part, n in row[name].items()]
    shown = iter(hide(cells, (*by, "part"), ("n",), already))
    return [{part: next(shown)["n"] for part in row[name]} for row in rows]


def small(count: int) -> int | str:
    """A count that stands alone."""
    return count if count == 0 or count >= SMALL else FEW


def _groups(rows: Sequence[Row], by: Sequence[str]) -> list[Sequence[int]]:
    found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        found[tuple(row[name] for name in by)].append(number)
    return list(found.values())


def _to_mask(rows: Sequence[Row], group: Sequence[int], unit: str, masked: set[int]) -> int | None:
    """The smallest cell that has to be hidden too; None if this sum gives nothing away."""
    hidden = [n for n in group if n in masked or 0 < rows[n][unit] < SMALL]
    if not hidden or (len(hidden) > 1 and sum(rows[n][unit] for n in hidden) >= SMALL):
        return None
    others = [n for n in group if n not in masked and rows[n][unit] >= SMALL]
    return min(others, key=lambda n: (rows[n][unit], n), default=None)


def _shown(count: int, *, masked: bool) -> int | str:
    return MASKED if masked and count >= SMALL else small(count)
