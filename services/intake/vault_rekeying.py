"""Exchanges the key of a vault nobody else uses: the data keys are wrapped anew, the sealed parts stay (ADR 0109)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.intake.sealing import CannotOpen, Part, Sealer
from services.intake.vault_keys import check, exchange, wants
from services.intake.vault_tables import keys, reports

_CHUNK = 1000
_PARTS: tuple[Part, ...] = ("dossier", "reporter")
_NOT_ERASED = or_(*(reports.c[f"{part}_key"].is_not(None) for part in _PARTS))
_CHANGE = update(reports).where(reports.c.report_id == bindparam("id"))
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_LOCKS = [text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE") for table in (reports, keys)]
"""Whoever opens the vault from here on reads the mark of the new key."""


class InUse(Exception):
    """Somebody else is connected to the vault, who would go on sealing under the old key."""


@dataclass
class Rewrapped:
    """How many reports are under the new key now, and which open with none of the keys at hand (ids, they stay)."""

    reports: int = 0
    closed: list[str] = field(default_factory=list)


async def rekey(engine: AsyncEngine, old: bytes, new: bytes, older: Mapping[str, bytes]) -> Rewrapped:
    """Wrap all anew in one transaction; where that was done already, nothing.

    `older` are further keys by their ids, for reports that were sealed with one of them. Raises InUse, AnotherKey,
    SQLAlchemyError.
    """
    async with engine.connect() as connection:
        await connection.run_sync(keys.create, checkfirst=True)  # of a release that noted none
        await connection.commit()
        await _have_alone(connection)
        done = Rewrapped()
        if not await wants(connection, "vault.key", new):
            await check(connection, {"vault.key": old})
            sealers = {sealer.key_id: sealer for sealer in map(Sealer, (old, *older.values()))}
            await _wrap_all(connection, Sealer(new), sealers, done)
            await exchange(connection, "vault.key", new)
        await connection.commit()
        return done


async def _have_alone(connection: AsyncConnection) -> None:
    """Begin a transaction beside which nobody opens the vault. Raises InUse."""
    if connection.dialect.name == "sqlite":
        try:  # refused while another connection is open; services set it to WAL again
            await connection.execute(text("PRAGMA journal_mode=DELETE"))
            await connection.execute(text("BEGIN EXCLUSIVE"))
        except OperationalError as problem:
            if "locked" in str(problem.orig):
                raise InUse from None
            raise
        return
    for lock in (None, *_LOCKS):
        if lock is not None:
            await connection.execute(lock)
        if (await connection.execute(_OTHERS)).scalar():
            raise InUse


async def _wrap_all(
    connection: AsyncConnection, new: Sealer, sealers: Mapping[str, Sealer], done: Rewrapped
) -> None:
    columns = reports.c.report_id, reports.c.dossier_key, reports.c.reporter_key, reports.c.key_id
    page = select(*columns).where(_NOT_ERASED).order_by(reports.c.report_id).limit(_CHUNK)
    last = ""
    while rows := (await connection.execute(page.where(reports.c.report_id > last))).all():
        changes = []
        for row in rows:
            try:
                changes.append(_wrapped(row, new, sealers))
            except (CannotOpen, KeyError):
                done.closed.append(row.report_id)
        if changes:
            await connection.execute(_CHANGE, changes)
        done.reports += len(changes)
        last = rows[-1].report_id


def _wrapped(row: Any, new: Sealer, sealers: Mapping[str, Sealer]) -> dict[str, Any]:
    """Raises CannotOpen, and KeyError for a report of a key that is not at hand."""
    by, change = sealers[row.key_id], {"id": row.report_id, "key_id": new.key_id}
    for part in _PARTS:
        name = f"{part}_key"
        wrapped: bytes | None = getattr(row, name)
        change[name] = wrapped and new.wrapped_anew(UUID(row.report_id), part, wrapped, by)
    return change
