"""Readers who want no optional mail: kept by their code, never by an address, and taken back as easily."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.ledger import Ledger
from services.notifications.ledger_tables import refusals
from services.runtime.database import insert_new


async def refuse(
    ledger: Ledger, connection: AsyncConnection, reader: str, reason: str, now: datetime
) -> None:
    """Note within a transaction that a reader gets no more optional mail; the first reason stands."""
    row = {"reader": reader, "reason": reason, "at": now}
    await connection.execute(insert_new(ledger.engine, refusals).values(row))


async def unsubscribe(ledger: Ledger, reader: str, now: datetime, reason: str = "READER") -> None:
    """Note durably that a reader gets no more optional mail. Raises LedgerAway."""

    async def work(connection: AsyncConnection) -> None:
        await refuse(ledger, connection, reader, reason, now)

    await ledger.do(work)


async def subscribe(ledger: Ledger, reader: str) -> None:
    """Let a reader have optional mail again. Raises LedgerAway."""
    await ledger.execute(delete(refusals).where(refusals.c.reader == reader))
