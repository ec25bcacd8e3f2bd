"""The vault's table, and how a database must be opened for it to be durable and forgetful."""

from typing import Any

from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, String, Table, Text, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

STORED = "stored"
"""In the vault, the broker has not acknowledged yet (or its acknowledgement was not noted)."""
ACCEPTED = "accepted"

metadata = MetaData()
reports = Table(
    "reports",
    metadata,
    Column("report_id", String(36), primary_key=True),
    Column("ticket", String(40), nullable=False),
    Column("body_mac", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
    Column("dossier", LargeBinary, nullable=False),
    Column("dossier_key", LargeBinary),
    Column("reporter", LargeBinary, nullable=False),
    Column("reporter_key", LargeBinary),
    Column("key_id", String(8), nullable=False),
)
Index(
    "reports_waiting",
    reports.c.received_at,
    sqlite_where=reports.c.state == STORED,
    postgresql_where=reports.c.state == STORED,
)

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA secure_delete=ON",
)


def open_engine(url: str) -> AsyncEngine:
    """An engine, not connected yet. SQLite syncs every commit and overwrites what it deletes."""
    parsed = make_url(url)
    engine = create_async_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
