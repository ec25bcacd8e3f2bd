"""Exchanges the key of a vault: the data keys are wrapped anew, the sealed parts stay as they are (ADR 0109)."""

from collections.abc import Callable, Mapping
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
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_LOCK = text(f"LOCK TABLE {reports}, {keys} IN ACCESS EXCLUSIVE MODE")


class InUse(Exception):
    """Somebody else is connected to the vault."""


@dataclass
class Rewrapped:
    """How many reports were wrapped; which are sealed with a key that is not at hand; which parts are damaged. By ids."""

    reports: int = 0
    closed: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


async def rekey(
    engine: AsyncEngine,
    old: bytes,
    coming: bytes | None,
    draw: Callable[[], bytes],
    older: Mapping[str, bytes],
) -> Rewrapped:
    """Wrap all anew in one transaction; of a run that was interrupted after it, only what was left.

    `draw` gives the new key, which must be safe on a disk by then; it is asked once nothing stands in the way. `coming` is
    the one it gave to an interrupted run. `older` are further keys by their ids, for reports that were sealed with one of
    them. Raises InUse, AnotherKey, SQLAlchemyError, and what `draw` raises.
    """
    async with engine.connect() as connection:
        await connection.run_sync(keys.create, checkfirst=True)  # of a release that noted none
        await connection.commit()
        await _have_alone(connection)
        if coming is None or not await wants(connection, "vault.key", coming):
            await check(connection, {"vault.key": old})
            coming = draw()
        sealers = {sealer.key_id: sealer for sealer in map(Sealer, (old, *older.values()))}
        done = await _wrap_all(connection, Sealer(coming), sealers)
        await exchange(connection, "vault.key", coming)
        await connection.commit()
        return done


async def _have_alone(connection: AsyncConnection) -> None:
    """Begin to write, unless somebody else is connected. Who comes later waits, and finds the mark of another key."""
    if connection.dialect.name == "sqlite":
        try:
            # the first is refused while another connection is open
            await connection.execute(text("PRAGMA journal_mode=DELETE"))
            await connection.execute(text("PRAGMA journal_mode=WAL"))
            await connection.execute(text("BEGIN IMMEDIATE"))
        except OperationalError as problem:
            if "locked" in str(problem.orig):
                raise InUse from None
            raise
        return
    if (await connection.execute(_OTHERS)).scalar():
        raise InUse
    await connection.execute(_LOCK)


async def _wrap_all(connection: AsyncConnection, new: Sealer, sealers: Mapping[str, Sealer]) -> Rewrapped:
    columns = reports.c.report_id, reports.c.dossier_key, reports.c.reporter_key, reports.c.key_id
    left = select(*columns).where(_NOT_ERASED, reports.c.key_id != new.key_id)
    page = left.order_by(reports.c.report_id).limit(_CHUNK)
    done, last = Rewrapped(), ""
    while rows := (await connection.execute(page.where(reports.c.report_id > last))).all():
        open_ones = [row for row in rows if row.key_id in sealers]
        done.closed += [row.report_id for row in rows if row.key_id not in sealers]
        if open_ones:
            changes = [_wrapped(row, new, sealers[row.key_id], done.damaged) for row in open_ones]
            await connection.execute(_CHANGE, changes)
        done.reports += len(open_ones)
        last = rows[-1].report_id
    return done


def _wrapped(row: Any, new: Sealer, by: Sealer, damaged: list[str]) -> dict[str, Any]:
    """What does not open with its own key is damaged and stays as it is: no key opens it."""
    change = {"id": row.report_id, "key_id": new.key_id}
    for part in _PARTS:
        name = f"{part}_key"
        change[name] = wrapped = getattr(row, name)
        try:
            change[name] = wrapped and new.wrapped_anew(UUID(row.report_id), part, wrapped, by)
        except CannotOpen:
            damaged.append(row.report_id)
    return change
