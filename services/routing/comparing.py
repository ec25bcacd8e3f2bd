"""Compares two read models table by table and row by row, and makes one like the other, case by case."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing.views_tables import metadata

GROUP = 500
"""Cases looked at together."""
SHOWN = 20
"""Keys of a table that are named; all are counted."""

TABLES = [table for name, table in metadata.tables.items() if name != "positions"]
BY_CASE = [table for table in TABLES if "case_id" in table.c]
"""What an event of a case can touch; the other tables are small and compared as a whole."""
WHOLE = [table for table in TABLES if "case_id" not in table.c]
Content = dict[tuple[Any, ...], tuple[Any, ...]]


@dataclass
class Difference:
    """What differs in one table; a key is written with slashes, and after it what is wrong with its row."""

    table: str
    rows: int = 0
    differing: int = 0
    keys: list[str] = field(default_factory=list)
    cases: set[str] = field(default_factory=set)

    def add(self, table: Table, live: Content, right: Content) -> None:
        """Compare some rows of the table."""
        self.rows += len(right)
        for key in sorted(live.keys() | right.keys(), key=str):
            had, wanted = live.get(key), right.get(key)
            if had == wanted:
                continue
            self.differing += 1
            place = table.columns.keys().index("case_id") if "case_id" in table.c else None
            self.cases |= {row[place] for row in (had, wanted) if row and place is not None}
            if len(self.keys) < SHOWN:
                self.keys.append(f"{'/'.join(map(str, key))}: {_wrong(table, had, wanted)}")


async def suspects(live: AsyncConnection, right: AsyncConnection) -> AsyncIterator[Difference]:
    """Each table of cases with what seems to differ; a case that moves meanwhile may be among it, none is missing."""
    for table in BY_CASE:
        found = Difference(table.name)
        after: str | None = ""
        while after is not None:
            last = await _last_of_next(live, table, after)
            wanted = [table.c.case_id > after, *([table.c.case_id <= last] if last is not None else [])]
            found.add(table, await _content(live, table, *wanted), await _content(right, table, *wanted))
            after = last
        yield found


async def differences(
    live: AsyncConnection, right: AsyncConnection, case_ids: Sequence[str]
) -> list[Difference]:
    """What differs in the rows of these cases, and in the tables that belong to no case; one for each table."""
    found = {table.name: Difference(table.name) for table in TABLES}
    for group in _groups(case_ids):
        for table in BY_CASE:
            these = table.c.case_id.in_(group)
            found[table.name].add(
                table, await _content(live, table, these), await _content(right, table, these)
            )
    for table in WHOLE:
        found[table.name].add(table, await _content(live, table), await _content(right, table))
    return list(found.values())


async def mend(live: AsyncConnection, right: AsyncConnection, found: Iterable[Difference]) -> None:
    """Make live like right where they differ: every row of the cases concerned, and the other tables as a whole."""
    found = list(found)
    case_ids = sorted({case_id for difference in found for case_id in difference.cases})
    broken = [table for table in WHOLE if any(d.table == table.name and d.differing for d in found)]
    for group in _groups(case_ids):
        for table in BY_CASE:
            await live.execute(delete(table).where(table.c.case_id.in_(group)))
    for group in _groups(case_ids):
        for table in BY_CASE:
            await _copy(live, right, table, table.c.case_id.in_(group))
    for table in broken:
        await live.execute(delete(table))
        await _copy(live, right, table)


async def _last_of_next(live: AsyncConnection, table: Table, after: str) -> str | None:
    """The last case of the next group, None if the rest is less than a group; by the order of the database at hand."""
    c = table.c.case_id
    query = select(c).where(c > after).distinct().order_by(c).offset(GROUP - 1).limit(1)
    return (await live.execute(query)).scalar()


async def _content(connection: AsyncConnection, table: Table, *wanted: ColumnElement[bool]) -> Content:
    """Rows by their keys."""
    names = table.columns.keys()
    places = [names.index(column.name) for column in table.primary_key]
    rows = await connection.execute(select(table).where(*wanted))
    return {tuple(row[place] for place in places): tuple(row) for row in rows}


async def _copy(
    live: AsyncConnection, right: AsyncConnection, table: Table, *wanted: ColumnElement[bool]
) -> None:
    rows = [dict(row._mapping) for row in await right.execute(select(table).where(*wanted))]
    if rows:
        await live.execute(insert(table), rows)


def _wrong(table: Table, had: tuple[Any, ...] | None, wanted: tuple[Any, ...] | None) -> str:
    if had is None or wanted is None:
        return "is missing" if had is None else "should not be there"
    names = [name for name, a, b in zip(table.columns.keys(), had, wanted, strict=True) if a != b]
    return f"differs in {', '.join(names)}"


def _groups(case_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (case_ids[start : start + GROUP] for start in range(0, len(case_ids), GROUP))
