"""Counts that move with the matters, so that questions about all cases need no scan: how many, and how long they wait."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from sqlalchemy import Table, bindparam, delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import regions
from services.routing import views_tables as tables
from services.runtime.database import insert_new

Row = dict[str, Any]
Key = tuple[Any, ...]
CELL = ("owner", "state", "stage", "class", "province")
"""Of a count; the owner is empty where the matter is closed."""
ANY = "*"
"""Stands in an overlap for a dimension that is not asked for."""
WAIT = ("owner", "state", "mark", "at")
_STEPS = {"since": 24, "quarter_at": 6, "remind_at": 6, "over_at": 1}
"""What is counted by time, and to how many hours its instant is rounded up: that keeps the table small."""
_MASKS = [mask for size in range(len(CELL) + 1) for mask in combinations(range(len(CELL)), size)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def count(connection: AsyncConnection, before: list[Row], now: list[Row]) -> None:
    """Move the counts from the old cells to the new ones; no empty cell stays."""
    persons, cases, overlaps, waits = Counter[Key](), Counter[Key](), Counter[Key](), Counter[Key]()
    for rows, sign in ((before, -1), (now, 1)):
        of_case: dict[str, set[Key]] = {}
        for row in rows:
            persons[_cell(row)] += sign
            of_case.setdefault(row["case_id"], set()).add(_cell(row))
            for wait in _waits(row):
                waits[wait] += sign
        for cells in of_case.values():
            for cell in cells:
                cases[cell] += sign
            for key, more in _overlaps(cells):
                overlaps[key] += sign * more
    both = {"persons": persons, "cases": cases}
    await _move(connection, tables.tallies, CELL, both)
    await _move(connection, tables.overlaps, CELL, {"cases": overlaps})
    await _move(connection, tables.waits, WAIT, {"persons": waits})


async def _move(
    connection: AsyncConnection, table: Table, names: tuple[str, ...], columns: dict[str, Counter[Key]]
) -> None:
    """Add to the columns of each cell, in the order of the cells."""
    changed = sorted({key for more in columns.values() for key, number in more.items() if number})
    if not changed:
        return
    keys = [{f"b_{name}": part for name, part in zip(names, key, strict=True)} for key in changed]
    nothing = dict.fromkeys(columns, 0)
    empty = [{**dict(zip(names, key, strict=True)), **nothing} for key in changed]
    await connection.execute(insert_new(connection, table), empty)
    mine = [table.c[name] == bindparam(f"b_{name}") for name in names]
    sums = {name: table.c[name] + bindparam(f"b_{name}") for name in columns}
    moved = [
        {**of, **{f"b_{name}": more[key] for name, more in columns.items()}}
        for of, key in zip(keys, changed, strict=True)
    ]
    await connection.execute(update(table).where(*mine).values(sums), moved)
    gone = delete(table).where(*mine, *(table.c[name] == 0 for name in columns))
    await connection.execute(gone, keys)


def _cell(row: Row) -> Key:
    province = regions.bare(row["region"])[:2]
    return row["owner"] or "", row["state"], row["stage"], row["class"], province


def _overlaps(cells: set[Key]) -> Iterable[tuple[Key, int]]:
    """How often a case of several cells would be counted too much in each sum of cells, for whatever dimensions."""
    if len(cells) < 2:
        return
    for mask in _MASKS:
        sums = Counter(
            tuple(part if place in mask else ANY for place, part in enumerate(cell)) for cell in cells
        )
        yield from ((key, number - 1) for key, number in sums.items() if number > 1)


def _waits(row: Row) -> Iterable[Key]:
    """Since when a person waits, and when a quarter, three quarters and all of the time limit is over."""
    if row["closed"]:
        return
    for mark, hours in _STEPS.items():
        if row[mark] is not None:
            yield row["owner"] or "", row["state"], mark, rounded(row[mark], hours)


def rounded(at: datetime, hours: int) -> datetime:
    """The next whole multiple of so many hours since 1970 (UTC)."""
    step = timedelta(hours=hours)
    return _EPOCH - (_EPOCH - at) // step * step
