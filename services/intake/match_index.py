"""The keys of reports in the vault's database: which cases share some with a report, without a look at all of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, bindparam, literal, select, union_all
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.core.blocking import Keys
from services.intake.vault_tables import match_keys
from services.intake.vault_writer import VaultAway
from services.runtime.database import insert_new

AT_ONCE = 50
"""Keys asked for in one statement; SQLite takes 500 selects in one."""

c = match_keys.c


class Place(NamedTuple):
    """A report's place in the index; `day` is the day of its event, `received_at` UTC."""

    report_id: UUID
    case_id: UUID
    day: date
    received_at: datetime


class Reach(NamedTuple):
    """How far to look: for `near` keys up to `days` before and after, `per_key` reports of each key, `most` cases."""

    days: int
    per_key: int
    most: int


class MatchIndex:
    """Reads and writes raise VaultAway when the database fails. Each asks for many reports at once."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, reports: Sequence[tuple[Place, Keys]]) -> None:
        """Store the keys of reports, durably; a case keeps each key once. Again changes nothing."""
        rows = [row for place, keys in reports for row in _rows(place, keys)]
        rows.sort(
            key=lambda row: (row["key"], row["case_id"])
        )  # two processes then never wait for each other
        try:
            async with self._engine.begin() as connection:
                await connection.execute(insert_new(self._engine, match_keys), rows)
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None

    async def repeating(self, places: Sequence[Place]) -> set[UUID]:
        """Those reports of whose case an earlier one is in the index: then that one was or will be compared."""
        cases = sorted({str(place.case_id) for place in places})
        rows = await self._all(_oldest(len(cases)), {f"case{n}": case_id for n, case_id in enumerate(cases)})
        oldest = {row.case_id: (row.received_at, row.report_id) for row in rows}
        return {
            place.report_id
            for place in places
            if (found := oldest.get(str(place.case_id))) and found < (place.received_at, str(place.report_id))
        }

    async def sharing(
        self, reports: Sequence[tuple[Place, Keys]], reach: Reach
    ) -> dict[UUID, list[tuple[UUID, UUID]]]:
        """Report and case of the other cases that share a key with each of `reports`, the oldest first.

        From each key the oldest are taken: of the first event of days close by for `near` keys, of all for `ever`
        keys. Those that share most keys win.
        """
        asked = [
            (place, key, margin)
            for place, keys in reports
            for group, margin in ((keys.near, timedelta(reach.days)), (keys.ever, None))
            for key in sorted(group)
        ]
        shared: dict[UUID, dict[str, list[Any]]] = {place.report_id: {} for place, _ in reports}
        for start in range(0, len(asked), AT_ONCE):
            part = asked[start : start + AT_ONCE]
            values: dict[str, Any] = {"per_key": reach.per_key}
            for slot, (place, key, margin) in enumerate(part):
                values |= _slot(slot, place, key, margin)
            for row in await self._all(_sharing(len(part)), values):
                shared[part[row.slot][0].report_id].setdefault(row.case_id, []).append(row)
        return {report_id: _best(cases, reach.most) for report_id, cases in shared.items()}

    async def _all(self, query: Any, values: Mapping[str, Any]) -> Sequence[Any]:
        try:
            async with self._engine.connect() as connection:
                return (await connection.execute(query, values)).all()
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None


def _rows(place: Place, keys: Keys) -> list[dict[str, Any]]:
    row = {
        "case_id": str(place.case_id),
        "report_id": str(place.report_id),
        "day": place.day,
        "received_at": place.received_at,
    }
    return [{**row, "key": key} for key in keys.near | keys.ever]


def _best(cases: Mapping[str, list[Any]], most: int) -> list[tuple[UUID, UUID]]:
    ranked = sorted(cases.values(), key=lambda rows: (-len(rows), rows[0].received_at, rows[0].report_id))
    oldest = sorted((rows[0] for rows in ranked[:most]), key=lambda row: (row.received_at, row.report_id))
    return [(UUID(row.report_id), UUID(row.case_id)) for row in oldest]


def _slot(slot: int, place: Place, key: str, margin: timedelta | None) -> dict[str, Any]:
    since, until = _around(place.day, margin) if margin else (date.min, date.max)
    return {
        f"key{slot}": key,
        f"case{slot}": str(place.case_id),
        f"since{slot}": since,
        f"until{slot}": until,
    }


def _around(day: date, margin: timedelta) -> tuple[date, date]:
    """Within the calendar: a report may name its very first day."""
    return day - min(margin, day - date.min), day + min(margin, date.max - day)


@cache
def _sharing(slots: int) -> CompoundSelect[Any]:
    """The oldest reports of each key; made once for each number of keys, for making it costs more than asking it."""
    return union_all(*map(_of_one_key, range(slots)))


def _of_one_key(slot: int) -> Select[Any]:
    oldest = (
        select(c.case_id, c.report_id, c.received_at)
        .where(
            c.key == bindparam(f"key{slot}"),
            c.case_id != bindparam(f"case{slot}"),
            c.day.between(bindparam(f"since{slot}"), bindparam(f"until{slot}")),
        )
        .order_by(c.day, c.received_at, c.report_id)
        .limit(bindparam("per_key"))
        .subquery()
    )
    return select(literal(slot, literal_execute=True).label("slot"), *oldest.c)


@cache
def _oldest(cases: int) -> CompoundSelect[Any]:
    """The first report of each case."""
    return union_all(
        *(
            select(
                select(c.case_id, c.report_id, c.received_at)
                .where(c.case_id == bindparam(f"case{n}"))
                .order_by(c.received_at, c.report_id)
                .limit(1)
                .subquery()
            )
            for n in range(cases)
        )
    )
