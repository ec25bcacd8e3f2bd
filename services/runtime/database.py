"""Opens a SQL database so that what is committed is on disk: SQLite by default, PostgreSQL by address."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Insert, TableClause

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA secure_delete=ON",
)


def open_engine(url: str, *, durable: bool = True) -> AsyncEngine:
    """An engine, not connected yet. SQLite syncs every commit (unless not `durable`) and overwrites what it deletes."""
    parsed = make_url(url)
    engine = create_async_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare)
        if not durable:
            event.listen(engine.sync_engine, "connect", _hurry)
    return engine


def insert_new(engine: AsyncEngine, table: TableClause) -> Insert:
    """An INSERT that leaves a row alone that is there already, in the words of the database at hand."""
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


async def replace_row(
    engine: AsyncEngine, connection: AsyncConnection, table: TableClause, row: dict[str, Any]
) -> None:
    """Write a row whole, whether one of its primary key is there or not."""
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    keys = [column.name for column in table.primary_key]
    others = {name: value for name, value in row.items() if name not in keys}
    await connection.execute(
        insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=others)
    )


def aware(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its instants in UTC: SQLite forgets the zone, and all of ours are UTC."""
    return {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
        for name, value in row.items()
    }


def _hurry(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
