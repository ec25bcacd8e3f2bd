"""Reports and e-mails of a case, page by page in order of time: one video makes thousands of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.routing.paging import Cursor, write_cursor
from services.routing.projecting import Row
from services.routing.views_tables import case_reports, links, notices

MOST = 200
"""Reports and e-mails on a page together."""
_KINDS: dict[str, tuple[Table, Column[str]]] = {
    "notice": (notices, notices.c.notice_id),
    "report": (case_reports, case_reports.c.report_id),
}
"""In the order in which they stand where the instants are the same."""


@dataclass(frozen=True)
class Page:
    """A part of the reports and e-mails, how many there are of each, and the cursor of the next part."""

    reports: list[Row]
    notices: list[Row]
    total: dict[str, int]
    next_cursor: str | None


async def page_of_story(engine: AsyncEngine, case_id: str, after: Cursor | None, most: int = MOST) -> Page:
    """The next part of the story of a case and its duplicates; `after` is the last one seen. Raises SQLAlchemyError."""
    async with engine.connect() as connection:
        found = [row for kind in _KINDS for row in await _some(connection, kind, case_id, after, most + 1)]
        total = {f"{kind}s": await _count(connection, kind, case_id) for kind in _KINDS}
    found.sort(key=lambda row: (row["at"], row["kind"], row["key"]))
    shown, last = found[:most], found[most - 1] if len(found) > most else None
    return Page(
        [row for row in shown if row["kind"] == "report"],
        [row for row in shown if row["kind"] == "notice"],
        total,
        write_cursor(last["at"], f"{last['kind']} {last['key']}") if last else None,
    )


async def _some(
    connection: AsyncConnection, kind: str, case_id: str, after: Cursor | None, most: int
) -> list[Row]:
    table, key = _KINDS[kind]
    query = select(table).where(_mine(table, case_id)).order_by(table.c.at, key).limit(most)
    if after:
        at, (seen, _, last) = after[0], after[1].partition(" ")
        if kind == seen:
            query = query.where(tuple_(table.c.at, key) > tuple_(at, last))
        else:
            query = query.where(table.c.at > at if kind < seen else table.c.at >= at)
    rows = [dict(row._mapping) for row in await connection.execute(query)]
    return [{**row, "kind": kind, "key": row[key.name]} for row in rows]


async def _count(connection: AsyncConnection, kind: str, case_id: str) -> int:
    table, _ = _KINDS[kind]
    counted = select(func.count()).select_from(table).where(_mine(table, case_id))
    return int((await connection.execute(counted)).scalar_one())


def _mine(table: Table, case_id: str) -> ColumnElement[Any]:
    """The reports of duplicates are told with the case that goes on; their e-mails with their own.

    One list of cases: of "this case, or one of those" PostgreSQL makes a walk through every report.
    """
    if table is not case_reports:
        mine: ColumnElement[Any] = table.c.case_id == case_id
        return mine
    duplicates = select(links.c.case_id).where(links.c.root == case_id)
    return table.c.case_id.in_(union_all(select(literal(case_id)), duplicates))
