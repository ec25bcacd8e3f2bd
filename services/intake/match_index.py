"""The keys of reports in the vault's database: which cases share some with a report, without a look at all of them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.core.blocking import Keys
from services.intake.vault_tables import match_keys
from services.intake.vault_writer import VaultAway
from services.runtime.database import insert_new
from services.runtime.grouping import Grouped

AT_ONCE = 50
"""Keys asked for in one statement; SQLite takes 500 selects in one."""

Rows = list[dict[str, Any]]
c = match_keys.c


class Place(NamedTuple):
    """A report's place in the index; `day` is the day of its event, `received_at` UTC."""

    report_id: UUID
    case_id: UUID
    day: date
    received_at: datetime


class MatchIndex:
    """Reads and writes raise VaultAway when the database fails."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writing: Grouped[Rows] = Grouped(self._written)

    async def add(self, place: Place, keys: Keys) -> None:
        """Store the keys of a report, durably; a case keeps each key once. Again changes nothing."""
        row = {
            "case_id": str(place.case_id),
            "report_id": str(place.report_id),
            "day": place.day,
            "received_at": place.received_at,
        }
        rows = [{**row, "key": key} for key in sorted(keys.near | keys.ever)]
        await self._writing.submit(rows)

    async def _written(self, groups: Sequence[Rows]) -> None:
        """In the order of the keys, so that two processes never wait for each other."""
        rows = sorted((row for rows in groups for row in rows), key=lambda row: (row["key"], row["case_id"]))
        try:
            async with self._engine.begin() as connection:
                await connection.execute(insert_new(self._engine, match_keys), rows)
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None

    async def repeats(self, place: Place) -> bool:
        """Whether an earlier report of the same case is in the index: then that one was or will be compared."""
        query = select(c.report_id, c.received_at).where(c.case_id == str(place.case_id))
        earlier = (c.received_at < place.received_at) | (
            (c.received_at == place.received_at) & (c.report_id < str(place.report_id))
        )
        return bool(await self._all(query.where(earlier).limit(1)))

    async def sharing(
        self, place: Place, keys: Keys, days: int, per_key: int, most: int
    ) -> list[tuple[UUID, UUID]]:
        """Report and case of up to `most` other cases that share a key, the oldest first.

        From each key at most `per_key` are taken, the oldest: of the first event up to `days` before or after for
        `near` keys, of all for `ever` keys. Those that share most keys win.
        """
        shared: dict[str, list[Any]] = {}
        for row in await self._rows(place, keys, days, per_key):
            shared.setdefault(row.case_id, []).append(row)
        best = sorted(shared.values(), key=lambda rows: (-len(rows), rows[0].received_at, rows[0].report_id))
        oldest = sorted((rows[0] for rows in best[:most]), key=lambda row: (row.received_at, row.report_id))
        return [(UUID(row.report_id), UUID(row.case_id)) for row in oldest]

    async def _rows(self, place: Place, keys: Keys, days: int, per_key: int) -> list[Any]:
        margin = timedelta(days)
        others = select(match_keys).where(c.case_id != str(place.case_id))
        close = others.where(c.day.between(place.day - margin, place.day + margin))
        queries = [
            select(
                query.where(c.key == key)
                .order_by(c.day, c.received_at, c.report_id)
                .limit(per_key)
                .subquery()
            )
            for query, group in ((close, keys.near), (others, keys.ever))
            for key in sorted(group)
        ]
        found: list[Any] = []
        for start in range(0, len(queries), AT_ONCE):
            found += await self._all(union_all(*queries[start : start + AT_ONCE]))
        return found

    async def _all(self, query: Any) -> Sequence[Any]:
        try:
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).all()
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None
