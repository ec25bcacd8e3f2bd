"""How many of each, who holds what, and how long it waits against its limit; from counts, however many cases there are."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.routing import views_tables as tables
from services.routing.core.ageing import AGES, ages, bands
from services.routing.core.hiding import hide, hide_parts
from services.routing.tallies import ANY, CELL
from services.runtime.database import reading

Row = dict[str, Any]
UNITS = ("persons", "cases")
PARTS = ("limit", "waits")


class Stats:
    """Reads of the counts; every number is shown as `hiding` allows."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def answer(self, by: Sequence[str], now: datetime) -> dict[str, Any]:
        """The counts by some of CELL, and for each body and each of its states what waits there."""
        async with reading(self._engine) as connection:
            counts = hide(await _counts(connection, by), by, UNITS)
            waiting = await _waiting(connection, now)
            stages = await _aged(connection, waiting, ("owner", "state"))
            ageing = await _aged(connection, _by_owner(waiting), ("owner",))
        ageing = [{**row, "overdue": row["limit"]["over"]} for row in ageing]
        return {"by": list(by), "counts": counts, "ageing": ageing, "stages": stages}


async def _counts(connection: AsyncConnection, by: Sequence[str]) -> list[Row]:
    """Persons and cases of each cell; a case with persons in several cells counts once in their sum."""
    t, o = tables.tallies.c, tables.overlaps.c
    columns = [t[name] for name in by]
    sums = [func.sum(t[unit]).label(unit) for unit in UNITS]
    rows = await _all(connection, select(*columns, *sums).group_by(*columns).order_by(*columns))
    asked = [o[name] != ANY if name in by else o[name] == ANY for name in CELL]
    twice = await _all(connection, select(*(o[name] for name in by), o.cases).where(*asked))
    too_much = {_key(row, by): row["cases"] for row in twice}
    return [{**row, "cases": row["cases"] - too_much.get(_key(row, by), 0)} for row in rows if row["persons"]]


async def _waiting(connection: AsyncConnection, now: datetime) -> list[Row]:
    """For each body and state: all who wait, and how many are past each mark."""
    w = tables.waits.c
    past = [_sum_until(w.at, now - timedelta(days), f"d{days}") for days in (0, *AGES)]
    query = select(w.owner, w.state, w.mark, func.sum(w.persons).label("all"), *past)
    found: dict[tuple[str, str], Row] = {}
    for row in await _all(connection, query.group_by(w.owner, w.state, w.mark)):
        place = found.setdefault((row["owner"], row["state"]), {"owner": row["owner"], "state": row["state"]})
        place[row["mark"]] = row
    return [_plain(place) for _, place in sorted(found.items())]


def _plain(place: Row) -> Row:
    since, none = place["since"], {"all": 0, "d0": 0}
    quarter, three, over = (place.get(mark, none) for mark in ("quarter_at", "remind_at", "over_at"))
    return {
        "owner": place["owner"],
        "state": place["state"],
        "persons": since["all"],
        "limit": bands(since["all"], quarter["d0"], three["d0"], over["d0"], over["all"]),
        "waits": ages(since["all"], tuple(since[f"d{days}"] for days in AGES)),
    }


def _by_owner(waiting: Iterable[Row]) -> list[Row]:
    """The states of each body together."""
    found: dict[str, Row] = {}
    for row in waiting:
        if (sum_ := found.get(row["owner"])) is None:
            found[row["owner"]] = {name: row[name] for name in ("owner", "persons", "limit", "waits")}
            continue
        sum_["persons"] += row["persons"]
        for part in PARTS:
            sum_[part] = {name: count + row[part][name] for name, count in sum_[part].items()}
    return list(found.values())


async def _aged(connection: AsyncConnection, rows: Sequence[Row], by: Sequence[str]) -> list[Row]:
    """The rows as they may be shown beside all counts by the same, and since when the first of each waits."""
    counted = hide(await _counts(connection, by), by, UNITS)
    wholes = {_key(row, by): {unit: row[unit] for unit in UNITS} for row in counted}
    mine = [wholes[_key(row, by)] for row in rows]
    shown = {name: hide_parts(rows, by, name, [whole["persons"] for whole in mine]) for name in PARTS}
    found = []
    for number, row in enumerate(rows):
        key = {name: row[name] for name in by}
        since = {"oldest_since": await _oldest(connection, key)}
        found.append({**key, **mine[number], **since, **{name: shown[name][number] for name in PARTS}})
    return found


async def _oldest(connection: AsyncConnection, key: Row) -> str | None:
    m = tables.matters.c
    mine = [m[name] == value for name, value in key.items()]
    oldest = select(m.since).where(m.closed.is_(False), *mine).order_by(m.since).limit(1)
    since = (await connection.execute(oldest)).scalar()
    return since.isoformat() if since else None


def _sum_until(at: ColumnElement[Any], until: datetime, name: str) -> ColumnElement[Any]:
    w = tables.waits.c
    return func.sum(case((at <= until, w.persons), else_=0)).label(name)


def _key(row: Row, by: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in by)


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[Row]:
    return [dict(row._mapping) for row in await connection.execute(query)]
