"""Writes to the vault in groups: what waits while one commit runs becomes the next commit (group commit)."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.intake.sealing import Sealed
from services.intake.vault_keys import wants
from services.intake.vault_tables import ACCEPTED, CLAIMED, STORED, reports
from services.runtime.database import writing

MAX_GROUP = 500
"""Reports in one commit; keeps the statements well below SQLite's limit of variables."""
NOTE_WITHIN = 0.2
"""Seconds a note of acceptance may wait for a commit it can share."""

_SEEN = select(reports.c.report_id, reports.c.body_mac, reports.c.event)
_CLAIM = update(reports).where(reports.c.state == STORED).values(state=CLAIMED)
_ACCEPT = update(reports).values(state=ACCEPTED)
_FORGET = delete(reports).where(reports.c.report_id == bindparam("id"), reports.c.state == STORED)


class VaultAway(Exception):
    """The database of the vault did not take or give what was asked; nothing was half-written."""


@dataclass(frozen=True)
class Entry:
    """One report as the vault keeps it; `received_at` is UTC, `event` the JSON of its ReportAccepted."""

    report_id: UUID
    ticket: str
    body_mac: bytes
    received_at: datetime
    event: str
    dossier: Sealed
    reporter: Sealed
    key_id: str


@dataclass(frozen=True)
class Standing:
    """What stands in the vault for a report id; `fresh` if this very call put it there."""

    body_mac: bytes
    event: str
    fresh: bool


@dataclass
class _Group:
    keeps: list[tuple[Entry, asyncio.Future[Standing]]] = field(default_factory=list)
    accepted: list[UUID] = field(default_factory=list)
    forgets: list[tuple[UUID, asyncio.Future[None]]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.keeps or self.accepted or self.forgets)


class VaultWriter:
    """The one task that writes. For one report id its callers take turns (services/runtime/turns.py)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.key: bytes | None = None
        """`vault.key`: where it was exchanged meanwhile nothing more is sealed under it (ADR 0109)."""
        self.refused = ""
        """What the database said to the last group, by the name of its error; empty where it took it."""
        self._waiting = _Group()
        self._wake = asyncio.Event()
        self._stopping = False
        self._note_due: asyncio.TimerHandle | None = None

    async def keep(self, entry: Entry) -> Standing:
        """Store an entry durably unless one stands for its id already. Raises VaultAway."""
        done: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        self._waiting.keeps.append((entry, done))
        self._wake.set()
        return await done

    def accept(self, report_id: UUID) -> None:
        """Note, soon, that the broker has acknowledged. Losing the note is harmless."""
        self._waiting.accepted.append(report_id)
        if self._note_due is None:
            self._note_due = asyncio.get_running_loop().call_later(NOTE_WITHIN, self._wake.set)

    async def forget(self, report_id: UUID) -> None:
        """Delete an entry the broker never acknowledged. Raises VaultAway."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.forgets.append((report_id, done))
        self._wake.set()
        await done

    async def run(self) -> None:
        """Write until `stop`, and what is waiting then."""
        while not self._stopping or self._waiting:
            await self._wake.wait()
            self._wake.clear()
            while group := self._next_group():
                await self._commit(group)

    def stop(self) -> None:
        """Let `run` return once nothing waits."""
        self._stopping = True
        self._wake.set()

    def _next_group(self) -> _Group:
        if self._note_due:
            self._note_due.cancel()
            self._note_due = None
        waiting = self._waiting
        self._waiting = _Group(keeps=waiting.keeps[MAX_GROUP:])
        return _Group(waiting.keeps[:MAX_GROUP], waiting.accepted, waiting.forgets)

    async def _commit(self, group: _Group) -> None:
        futures = [done for _, done in group.keeps] + [done for _, done in group.forgets]
        try:
            standing = await self._written(group)
        except (SQLAlchemyError, OSError) as problem:
            self.refused = type(problem).__name__
            _settle(futures, VaultAway(type(problem).__name__))
            return
        except VaultAway as closed:
            _settle(futures, closed)
            return
        self.refused = ""
        for (_, done), stands in zip(group.keeps, standing, strict=True):
            if not done.done():
                done.set_result(stands)
        _settle([done for _, done in group.forgets], None)

    async def _written(self, group: _Group) -> list[Standing]:
        """Beside no other writer: one that accepts A and inserts B waits for ever for one that inserted B and claims A."""
        async with writing(self._engine) as connection:
            if self.key and not await wants(connection, "vault.key", self.key):
                raise VaultAway("AnotherKey")
            accepted = sorted(map(str, group.accepted))
            for start in range(0, len(accepted), MAX_GROUP):
                mine = reports.c.report_id.in_(accepted[start : start + MAX_GROUP])
                await connection.execute(_ACCEPT.where(mine))
            if group.forgets:
                await connection.execute(_FORGET, [{"id": str(report_id)} for report_id, _ in group.forgets])
            return await _kept(connection, [entry for entry, _ in group.keeps]) if group.keeps else []


async def _kept(connection: AsyncConnection, entries: list[Entry]) -> list[Standing]:
    """Store what is new. What stands already is claimed, so that no other process deletes it under our feet.

    The database decides between processes: one of two inserts of an id wins, and a row that was claimed is not deleted.
    """
    first = {str(entry.report_id): entry for entry in reversed(entries)}
    fresh: set[str] = set()
    standing: dict[str, Standing] = {}
    while missing := sorted(first.keys() - standing.keys() - fresh):
        fresh |= await _inserted(connection, [_row(first[report_id]) for report_id in missing])
        standing |= await _claimed(connection, [report_id for report_id in missing if report_id not in fresh])
    found = []
    for entry in entries:
        report_id = str(entry.report_id)
        mine = entry is first[report_id]
        stands = standing.get(report_id) or Standing(first[report_id].body_mac, first[report_id].event, mine)
        found.append(stands)
    return found


async def _inserted(connection: AsyncConnection, rows: list[dict[str, Any]]) -> set[str]:
    """The ids of those rows that were new."""
    words = postgresql if connection.dialect.name == "postgresql" else sqlite
    query = words.insert(reports).on_conflict_do_nothing().returning(reports.c.report_id)
    return set((await connection.execute(query, rows)).scalars())


async def _claimed(connection: AsyncConnection, report_ids: list[str]) -> dict[str, Standing]:
    """What stands for these ids; none for one that was deleted in between."""
    if not report_ids:
        return {}
    mine = reports.c.report_id.in_(report_ids)
    await connection.execute(_CLAIM.where(mine))
    rows = await connection.execute(_SEEN.where(mine))
    return {row.report_id: Standing(row.body_mac, row.event, fresh=False) for row in rows}


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "report_id": str(entry.report_id),
        "ticket": entry.ticket,
        "body_mac": entry.body_mac,
        "state": STORED,
        "received_at": entry.received_at,
        "event": entry.event,
        "dossier": entry.dossier.blob,
        "dossier_key": entry.dossier.wrapped_key,
        "reporter": entry.reporter.blob,
        "reporter_key": entry.reporter.wrapped_key,
        "key_id": entry.key_id,
    }


def _settle(futures: list[asyncio.Future[Any]], problem: Exception | None) -> None:
    for done in futures:
        if done.done():
            continue
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(problem)
