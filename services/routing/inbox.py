"""The inboxes: what a body asks for, and the pages that answer it, each read from an index however deep it lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts import regions
from contracts.codes import Role
from services.routing.core.lifecycle import STATES
from services.routing.instants import in_utc
from services.routing.paging import Cursor, read_cursor, write_cursor
from services.routing.projecting import Row
from services.routing.views_tables import inbox, matters

MOST = 200
"""Cases on a page."""
MOST_PERSONS = 1_000
"""On a page; a case with more comes alone. Each person is some 1.4 kB, and a report may name 200 (ADR 0107)."""
NAMES = frozenset(
    {"limit", "cursor", "order", "role", "state", "region", "office", "due_before", "updated_since"}
)
ORDERS = {"opened": "opened_at", "updated": "updated_at", "due": "due_at"}
_DESCENDING = frozenset({"opened"})
_JAKARTA = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True)
class Wanted:
    """`after` is the last row seen, by the key of the order. Without `office`: of all offices of the agency."""

    agency: str
    office: str | None = None
    order: str = "opened"
    role: str | None = None
    state: str | None = None
    region: str | None = None
    due_before: datetime | None = None
    updated_since: datetime | None = None
    after: Cursor | None = None
    limit: int = 50


def wanted_of(agency: str, office: str | None, query: Mapping[str, str]) -> Wanted:
    """What a query asks for. Raises ValueError with cause and cure."""
    if unknown := sorted(set(query) - NAMES):
        raise ValueError(f"{unknown[0][:40]} is no filter here; the filters are {', '.join(sorted(NAMES))}")
    order = _one_of(query, "order", ORDERS) or _usual_order(query)
    region = query.get("region")
    if region and (says := regions.problem_with(region)):
        raise ValueError(f"region {says}")
    return Wanted(
        agency,
        office or query.get("office"),
        order,
        _one_of(query, "role", Role),
        _one_of(query, "state", STATES),
        region,
        _instant(query, "due_before"),
        _instant(query, "updated_since"),
        _after(query.get("cursor"), order),
        _limit(query.get("limit")),
    )


async def page_of_inbox(engine: AsyncEngine, wanted: Wanted) -> tuple[list[Row], str | None]:
    """The cases of a page (case_id and opened_at), and the cursor of the next one if there is one.

    A page ends before its limit where its cases have more than MOST_PERSONS persons together.
    """
    async with engine.connect() as connection:
        rows = [dict(row._mapping) for row in await connection.execute(query_of(wanted))]
        found = await connection.execute(persons_of([row["case_id"] for row in rows]))
    persons = {row.case_id: row.persons for row in found}
    carried = accumulate(persons.get(row["case_id"], 0) for row in rows[: wanted.limit])
    fitting = sum(persons_so_far <= MOST_PERSONS for persons_so_far in carried)
    shown = rows[: max(1, fitting)]
    if len(shown) == len(rows):
        return shown, None
    last = shown[-1]
    return shown, write_cursor(last[ORDERS[wanted.order]], f"{wanted.order} {last['case_id']}")


def query_of(wanted: Wanted) -> Select[Any]:
    """One row more than a page, so that it shows whether there is another."""
    c = inbox.c
    key = c[ORDERS[wanted.order]]
    columns = dict.fromkeys((c.case_id, c.opened_at, key))
    query = select(*columns).where(c.agency == wanted.agency, *_filters(wanted)).distinct()
    if wanted.order in _DESCENDING:
        if wanted.after:
            query = query.where(tuple_(key, c.case_id) < tuple_(*wanted.after))
        return query.order_by(key.desc(), c.case_id.desc()).limit(wanted.limit + 1)
    if wanted.after:
        query = query.where(tuple_(key, c.case_id) > tuple_(*wanted.after))
    return query.where(key.is_not(None)).order_by(key, c.case_id).limit(wanted.limit + 1)


def persons_of(case_ids: Sequence[str]) -> Select[Any]:
    """How many persons each of these cases is about."""
    c = matters.c
    return select(c.case_id, func.count().label("persons")).where(c.case_id.in_(case_ids)).group_by(c.case_id)


def _filters(wanted: Wanted) -> list[Any]:
    c = inbox.c
    same = {"office": wanted.office, "role": wanted.role, "state": wanted.state}
    found: list[Any] = [c[name] == value for name, value in same.items() if value]
    if wanted.region:
        found.append(
            or_(c.region == wanted.region, c.region.startswith(wanted.region + ".", autoescape=True))
        )
    if wanted.due_before:
        found.append(c.due_at < wanted.due_before)
    if wanted.updated_since:
        found.append(c.updated_at >= wanted.updated_since)
    return found


def _usual_order(query: Mapping[str, str]) -> str:
    return "updated" if "updated_since" in query else "due" if "due_before" in query else "opened"


def _one_of(query: Mapping[str, str], name: str, known: Any) -> str | None:
    text = query.get(name)
    if text is not None and text not in list(known):
        raise ValueError(f"{name} is one of {', '.join(known)}")
    return text


def _limit(text: str | None) -> int:
    if text is None:
        return Wanted.limit
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST):
        raise ValueError(f"limit is a number from 1 to {MOST}")
    return int(text)


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    """An instant with its zone; a day alone is its beginning in Jakarta. Raises ValueError."""
    text = query.get(name)
    if text is None:
        return None
    try:
        if len(text) == 10:
            return in_utc(datetime.combine(date.fromisoformat(text), datetime.min.time(), _JAKARTA))
        return in_utc(datetime.fromisoformat(text.replace(" ", "+")))
    except ValueError:
        raise ValueError(f"{name} is a day (YYYY-MM-DD) or an instant with its zone") from None


def _after(text: str | None, order: str) -> Cursor | None:
    """Raises ValueError for a cursor of another order, or of none."""
    try:
        found = read_cursor(text)
        if found is None:
            return None
        said, _, case_id = found[1].partition(" ")
        if said == order and case_id:
            return found[0], case_id
    except ValueError:
        pass
    raise ValueError("cursor is the next_cursor you were given, with the same order")
