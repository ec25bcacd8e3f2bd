"""Compares the vault with the accepted reports, and tries whether what lies sealed in it opens."""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.cli.verify.digests import digest
from services.cli.verify.findings import Finding
from services.cli.verify.key_checks import check_keys
from services.cli.verify.logbook import Logbook
from services.cli.verify.model_rows import instant
from services.intake.sealing import CannotOpen, Part, Sealed, Sealer

PAGE = 500
SETTLED = timedelta(minutes=10)
"""Intake looks more often at what it told without noting the answer."""
WAITING = "vault-waiting"
MOST_WAITING = 1000
"""Of which it is asked again whether they still wait."""
_ROWS = text(
    "SELECT report_id, ticket, state, received_at, event, dossier, dossier_key, reporter, reporter_key, key_id FROM reports"
    " WHERE report_id > :last ORDER BY report_id LIMIT :most"
)
_STATES = text("SELECT report_id FROM reports WHERE state IN ('stored', 'claimed') AND report_id IN :ids")
_STATES_THERE_ARE = {"stored", "claimed", "accepted"}
_PARTS: tuple[Part, ...] = ("dossier", "reporter")


async def check_vault(
    engine: AsyncEngine, book: Logbook, now: datetime, key: bytes | None
) -> AsyncIterator[Finding]:
    """Every accepted report is in the vault as it was accepted, and what the vault calls accepted is in the stream.

    A report that waits in the vault may be in the stream already: intake died before it noted the acknowledgement.
    With the vault's `key` every part that was not erased must open.
    """
    book.db.execute("CREATE TEMP TABLE vault (report_id TEXT PRIMARY KEY)")
    sealer = Sealer(key) if key else None
    async with engine.connect() as connection:
        if key and await _opens_to_another(connection, key):
            says = (
                "the vault opens to another vault.key than the one in the secrets; nothing of it was opened"
            )
            yield Finding("vault-unreadable", "", says)
            sealer = None
        last = ""
        while rows := (await connection.execute(_ROWS, {"last": last, "most": PAGE})).all():
            book.db.executemany("INSERT INTO vault VALUES (?)", [(row.report_id,) for row in rows])
            for row in rows:
                for finding in (*_compared(row, book, now), *_opened(row, sealer)):
                    yield finding
            last = rows[-1].report_id
        async for finding in check_keys(connection, book):
            yield finding
    missing = "SELECT report_id FROM reports EXCEPT SELECT report_id FROM vault ORDER BY 1"
    for (report_id,) in book.db.execute(missing):
        yield Finding("vault-missing", report_id, "is in the stream REPORTS but not in the vault")


async def still_stored(engine: AsyncEngine, ids: list[str]) -> set[str]:
    """Which of these reports the vault still waits for."""
    async with engine.connect() as connection:
        query = _STATES.bindparams(bindparam("ids", ids, expanding=True))
        return {row.report_id for row in await connection.execute(query)}


def _compared(row: Any, book: Logbook, now: datetime) -> Iterator[Finding]:
    known = "SELECT ticket, digest, stamp, at FROM reports WHERE report_id = ?"
    told = book.db.execute(known, (row.report_id,)).fetchone()
    if told is None:
        if row.state == "accepted":
            yield Finding(
                "vault-only", row.report_id, "is accepted in the vault but not in the stream REPORTS"
            )
        return
    if row.ticket != told[0]:
        yield Finding("vault-differs", row.report_id, "has another ticket in the vault than in the stream")
    if _digest(row.event) != told[1]:
        says = "the vault keeps another event of it than the stream"
        yield Finding("vault-differs", row.report_id, says)
    if row.state not in _STATES_THERE_ARE:
        yield Finding("vault-differs", row.report_id, f"is in the state {row.state}, which there is not")
    if instant(row.received_at) != datetime.fromisoformat(told[3]):
        yield Finding(
            "vault-differs", row.report_id, f"came in at {told[3]}, by the vault at {row.received_at}"
        )
    if row.state in ("stored", "claimed") and datetime.fromisoformat(told[2]) + SETTLED < now:
        says = "is in the stream REPORTS, and the vault still waits for it to be accepted"
        yield Finding(WAITING, row.report_id, says)


def _digest(event: str) -> str | None:
    try:
        return digest(json.loads(event))
    except ValueError:
        return None


def _opened(row: Any, sealer: Sealer | None) -> Iterator[Finding]:
    for part in _PARTS if sealer else ():
        wrapped = getattr(row, f"{part}_key")
        if sealer is None or wrapped is None:  # erased
            continue
        try:
            sealer.open(UUID(row.report_id), part, Sealed(bytes(getattr(row, part)), bytes(wrapped)))
        except (CannotOpen, ValueError):
            says = f"its {part} does not open with vault key {sealer.key_id}; it was sealed with {row.key_id}"
            yield Finding("vault-unreadable", row.report_id, says)
        else:
            if row.key_id != sealer.key_id:  # by which `netral rekey` tells what it has still to do
                says = f"its {part} opens with vault key {sealer.key_id}; the vault names {row.key_id}"
                yield Finding("vault-differs", row.report_id, says)


async def _opens_to_another(connection: AsyncConnection, key: bytes) -> bool:
    """By the hash that intake notes of the key it filled the vault with; one of an earlier release noted none."""
    if not await connection.run_sync(lambda one: inspect(one).has_table("keys")):
        return False
    noted = await connection.execute(text("SELECT mark FROM keys WHERE name = 'vault.key'"))
    return noted.scalar() not in (None, hashlib.sha256(b"netral vault.key\x00" + key).hexdigest())
