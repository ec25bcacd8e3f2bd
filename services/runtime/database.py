"""Opens a SQL database so that what is committed is on disk: SQLite by default, PostgreSQL by address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import URL, ColumnElement, DateTime, Dialect, TypeDecorator, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Insert, TableClause

from services.runtime import sqlite_thread
from services.runtime.postgres import alone, open_postgres
from services.runtime.sqlite_file import DatabaseFile

_PRAGMAS = (
    "PRAGMA temp_store=MEMORY",  # or each statement of many rows makes and deletes a file; indexes are sorted there too
    "PRAGMA busy_timeout=15000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
)
_HELD = 20
"""Connections to a file that are kept: to open one costs a thread and the pragmas, more than most questions."""


class Instant(TypeDecorator[datetime]):
    """An instant, UTC on both databases: SQLite forgets the zone, PostgreSQL may answer in another."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


def open_engine(
    url: str | URL, *, durable: bool = True, schema: str | None = None, patient: bool = False
) -> AsyncEngine:
    """An engine, not connected yet. SQLite syncs every commit (unless not `durable`) and overwrites what it deletes.

    `schema` is where the tables of a PostgreSQL database lie, if not where its role looks by itself; a `patient` engine
    waits for its answers as long as it takes.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return open_postgres(parsed, schema=schema, patient=patient)
    lies_at = parsed.database or ":memory:"
    file = None if lies_at.startswith((":", "file:")) else DatabaseFile(lies_at)
    options: dict[str, Any] = {
        "connect_args": {"async_creator_fn": file.connect if file else sqlite_thread.connect},
        "pool_size": _HELD,
        "pool_use_lifo": True,  # the one that wrote last has the pages; another reads them anew
    }
    engine = create_async_engine(parsed, **options)
    event.listen(engine.sync_engine, "connect", _prepare)
    if file:
        file.pool = lambda: engine.sync_engine.pool
        event.listen(engine.sync_engine, "checkout", file.taken)
    if not durable:
        event.listen(engine.sync_engine, "connect", _hurry)
    return engine


@asynccontextmanager
async def writing(engine: AsyncEngine, *, patient: bool = False) -> AsyncIterator[AsyncConnection]:
    """A transaction beside which nobody else writes: what it reads stays true until it commits.

    Every writer takes this one lock of its database (schema) first, in whatever process, so none overwrites what
    another just read, and none deadlocks. Commits are grouped, so few wait; one that takes half a minute is ended by
    PostgreSQL unless it is `patient`. Raises SQLAlchemyError.
    """
    async with engine.begin() as connection:
        await connection.execute(text(_alone(engine, patient)))
        yield connection


def _alone(engine: AsyncEngine, patient: bool) -> str:
    if engine.dialect.name == "sqlite":
        return "BEGIN IMMEDIATE"
    return alone(engine.dialect.server_version_info or (), patient=patient)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Questions of one moment: what they find fits together, whoever writes meanwhile. Raises SQLAlchemyError."""
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            await connection.execute(text("BEGIN"))
        else:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def insert_new(on: AsyncEngine | AsyncConnection, table: TableClause) -> Insert:
    """An INSERT that leaves a row alone that is there already, in the words of the database at hand."""
    insert = sqlite.insert if on.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column, but its indexes are of no use: the other conditions find the rows.

    SQLite takes a state to be rare, and would go through a million sent mails for the ten whose ids it was given.
    """
    return column + ""


async def replace_row(connection: AsyncConnection, table: TableClause, row: dict[str, Any]) -> None:
    """Write a row whole, whether one of its primary key is there or not."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    keys = [column.name for column in table.primary_key]
    others = {name: value for name, value in row.items() if name not in keys}
    await connection.execute(
        insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=others)
    )


def _hurry(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
