"""Counts that move with the matters, so that questions about all cases need no scan."""

from collections import Counter
from typing import Any

from sqlalchemy import bindparam, delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import regions
from services.routing import views_tables as tables
from services.runtime.database import insert_new

Row = dict[str, Any]
Cell = tuple[str, str, str, str, str]
"""Owner (empty: closed), state, stage, class and province."""
CELL = ("owner", "state", "stage", "class", "province")


async def count(connection: AsyncConnection, before: list[Row], now: list[Row]) -> None:
    """Move the counts from the old cells to the new ones, in persons and in cases; no empty cell stays."""
    persons, cases = Counter[Cell](), Counter[Cell]()
    for rows, sign in ((before, -1), (now, 1)):
        for row in rows:
            persons[_cell(row)] += sign
        for cell, _ in {(_cell(row), row["case_id"]) for row in rows}:
            cases[cell] += sign
    changed = sorted(cell for cell in persons.keys() | cases.keys() if persons[cell] or cases[cell])
    if not changed:
        return
    empty = [{**dict(zip(CELL, cell, strict=True)), "persons": 0, "cases": 0} for cell in changed]
    await connection.execute(insert_new(connection, tables.tallies), empty)
    c = tables.tallies.c
    mine = [c[name] == bindparam(f"b_{name}") for name in CELL]
    more = {"persons": c.persons + bindparam("b_persons"), "cases": c.cases + bindparam("b_cases")}
    keys = [{f"b_{name}": part for name, part in zip(CELL, cell, strict=True)} for cell in changed]
    moved = [
        {**key, "b_persons": persons[cell], "b_cases": cases[cell]}
        for key, cell in zip(keys, changed, strict=True)
    ]
    await connection.execute(update(tables.tallies).where(*mine).values(more), moved)
    gone = delete(tables.tallies).where(*mine, c.persons == 0, c.cases == 0)
    await connection.execute(gone, keys)


def _cell(row: Row) -> Cell:
    province = regions.bare(row["region"])[:2]
    return row["owner"] or "", row["state"], row["stage"], row["class"], province
