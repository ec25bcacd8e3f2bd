"""The vault: every report, sealed, in a database; who may open which part is decided by its callers."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from opentelemetry.trace import NoOpTracer, Tracer
from sqlalchemy import delete, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.sealing import Part, Sealed
from services.intake.vault_keys import AnotherKey, check, wants
from services.intake.vault_tables import ACCEPTED, CLAIMED, STORED, match_keys, metadata, reports
from services.intake.vault_writer import Entry, Standing, VaultAway, VaultWriter
from services.runtime.inner_spans import storing

_FACTS = select(reports.c.received_at, reports.c.event)
_WAITING = select(reports.c.report_id, reports.c.event)
AHEAD = timedelta(minutes=2)
"""A report received so long after the instant that is asked for was dated by a clock that has been set back since."""


@dataclass(frozen=True)
class Kept:
    """What the door may know of a kept report without opening it."""

    received_at: datetime
    event: str


@dataclass(frozen=True)
class Waiting:
    """A report whose acknowledgement by the broker was not noted."""

    report_id: UUID
    event: str


class Vault:
    """Reads and writes raise VaultAway when the database fails."""

    def __init__(self, engine: AsyncEngine, tracer: Tracer | None = None) -> None:
        self.another_key: AnotherKey | None = None
        self._engine, self._tracer = engine, tracer or NoOpTracer()
        self._writer = VaultWriter(engine)
        self._task: asyncio.Task[None] | None = None

    async def start(self, keys: Mapping[str, bytes] | None = None) -> None:
        """Make the tables if they are new, and begin to write. Raises VaultAway, and AnotherKey where it stays closed."""
        address = self._engine.url
        try:
            if address.get_backend_name() == "sqlite" and address.database:
                Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            async with self._engine.begin() as connection:
                await connection.run_sync(metadata.create_all)
                for index in reports.indexes:  # of a vault from before it
                    await connection.run_sync(index.create, checkfirst=True)
                await check(connection, keys or {})
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None
        except AnotherKey as wrong:
            self.another_key = wrong
            raise
        self._writer.key = (keys or {}).get("vault.key")
        self._task = asyncio.create_task(self._writer.run())

    async def close(self) -> None:
        """Write what is waiting, then leave."""
        self._writer.stop()
        if self._task:
            await self._task
        await self._engine.dispose()

    async def keep(self, entry: Entry) -> Standing:
        """Store an entry durably; if one stands for its report already, that one stays and is returned."""
        if self._task is None:
            raise VaultAway("not open yet")
        with storing(self._tracer, self._engine, reports.name):
            return await self._writer.keep(entry)

    def accept(self, report_id: UUID) -> None:
        """Note that the broker has acknowledged, with the next commit."""
        self._writer.accept(report_id)

    async def forget(self, report_id: UUID) -> None:
        """Delete the entry of a report that was never acknowledged; an accepted one stays."""
        await self._writer.forget(report_id)

    async def find(self, report_id: UUID) -> Kept | None:
        """What is known of a report."""
        row = await self._one(_FACTS.where(reports.c.report_id == str(report_id)))
        return Kept(_utc(row.received_at), row.event) if row else None

    async def sealed(self, report_id: UUID, part: Part) -> Sealed | None:
        """One sealed part of a report."""
        blob, key = reports.c[part], reports.c[f"{part}_key"]
        row = await self._one(select(blob, key).where(reports.c.report_id == str(report_id)))
        return Sealed(row[0], row[1]) if row else None

    async def dossiers(self, report_ids: Collection[UUID]) -> dict[UUID, Sealed]:
        """The sealed dossiers of several reports, without those that are unknown."""
        query = select(reports.c.report_id, reports.c.dossier, reports.c.dossier_key)
        rows = await self._all(query.where(reports.c.report_id.in_(map(str, report_ids))))
        return {UUID(row.report_id): Sealed(row.dossier, row.dossier_key) for row in rows}

    async def tickets(self, report_ids: Collection[UUID]) -> dict[UUID, str]:
        """The tickets of several reports."""
        query = select(reports.c.report_id, reports.c.ticket)
        rows = await self._all(query.where(reports.c.report_id.in_(map(str, report_ids))))
        return {UUID(row.report_id): row.ticket for row in rows}

    async def accepted_from(self, first: UUID, most: int, before: datetime) -> list[UUID]:
        """Accepted reports received before an instant (UTC), by their ids, from one on; the first where none follow."""
        settled = reports.c.state == ACCEPTED, reports.c.received_at < before
        query = select(reports.c.report_id).where(*settled).order_by(reports.c.report_id)
        rows = await self._all(query.where(reports.c.report_id >= str(first)).limit(most))
        return [UUID(row.report_id) for row in rows or await self._all(query.limit(most))]

    async def waiting(self, before: datetime) -> list[Waiting]:
        """Unacknowledged reports received before an instant (UTC), up to 500 of each kind, the oldest first.

        And those of a clock that ran ahead: nobody is at work on them, and their instant may be days away.
        """
        at = reports.c.received_at
        old = or_(at < before, at > before + AHEAD)
        oldest = _WAITING.where(old).order_by(at).limit(500)
        rows = [
            row
            for state in (STORED, CLAIMED)
            for row in await self._all(oldest.where(reports.c.state == state))
        ]
        return [Waiting(UUID(row.report_id), row.event) for row in rows]

    async def doubt(self, report_ids: Sequence[UUID]) -> None:
        """Take the claims off reports the broker does not hold; whoever sends one again claims it anew."""
        if not report_ids:
            return
        mine = reports.c.report_id.in_(map(str, report_ids))
        change = update(reports).where(mine, reports.c.state == CLAIMED).values(state=STORED)
        try:
            async with self._engine.begin() as connection:
                await connection.execute(change)
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None

    async def erase(self, report_id: UUID, part: Part) -> bool:
        """Destroy the key of one part, for ever; False if the report is unknown. What it was matched by goes too."""
        change = update(reports).where(reports.c.report_id == str(report_id)).values({f"{part}_key": None})
        try:
            async with self._engine.begin() as connection:
                done = await connection.execute(change)
                if part == "dossier":
                    await connection.execute(
                        delete(match_keys).where(match_keys.c.report_id == str(report_id))
                    )
            if self._engine.dialect.name == "sqlite":
                async with (
                    self._engine.connect() as connection
                ):  # the write-ahead log still holds the old page
                    busy = (await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).scalar()
                if busy:
                    raise VaultAway("its log is being read, and holds the key still")
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None
        return bool(done.rowcount)

    @property
    def trouble(self) -> str:
        """What an operator should look at although reports can be read; empty where nothing is."""
        if not self._writer.refused:
            return ""
        why = f"({self._writer.refused}): is its disk full, or does it take no writes?"
        return f"the vault did not take what was written last {why}"

    async def works(self) -> bool:
        """Whether the vault is open, its database answers, and its key is still ours."""
        if self._task is None or self._task.done():
            return False
        key = self._writer.key
        try:
            async with self._engine.connect() as connection:
                await connection.execute(select(reports.c.report_id).limit(1))
                if key and not await wants(connection, "vault.key", key):
                    self.another_key = AnotherKey("vault.key")
        except (SQLAlchemyError, OSError):
            return False
        return self.another_key is None

    async def _one(self, query: Any) -> Any:
        rows = await self._all(query)
        return rows[0] if rows else None

    async def _all(self, query: Any) -> Sequence[Any]:
        if self._task is None:
            raise VaultAway("not open yet")
        try:
            async with self._engine.connect() as connection:
                return (await connection.execute(query)).all()
        except (SQLAlchemyError, OSError) as problem:
            raise VaultAway(type(problem).__name__) from None


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
