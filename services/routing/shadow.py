"""An empty database beside that of the views, for one rebuild at a time: a second file, or a schema of its own."""

import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.database import open_engine

SCHEMA = "netral_rebuild"
_LOCK = "SELECT pg_try_advisory_lock(hashtext('netral rebuild'))"


class Busy(Exception):
    """Another rebuild of the same database runs."""


@asynccontextmanager
async def unhurried(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """The same database without limits of time: a rebuild compares much at once, and waits for the broker meanwhile."""
    if engine.dialect.name == "sqlite":
        yield engine
        return
    patient = open_engine(engine.url, patient=True)
    try:
        yield patient
    finally:
        await patient.dispose()


@asynccontextmanager
async def shadow_of(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """Gone afterwards; what an interrupted rebuild left behind is thrown away first. Raises Busy."""
    beside = _file_of(engine) if engine.dialect.name == "sqlite" else _schema_of(engine)
    async with beside as shadow:
        try:
            yield shadow
        finally:
            await shadow.dispose()


@asynccontextmanager
async def _file_of(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    path = Path(f"{engine.url.database}.rebuild")
    with _only_one(path.with_name(path.name + ".lock")):
        _remove(path)
        yield open_engine(engine.url.set(database=str(path)), durable=False)
        _remove(path)


@asynccontextmanager
async def _schema_of(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    drop = text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    async with engine.connect() as holder:
        if not (await holder.execute(text(_LOCK))).scalar():
            raise Busy
        await holder.execute(drop)
        await holder.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        await holder.commit()
        try:
            yield open_engine(engine.url, schema=SCHEMA, patient=True)
            await holder.execute(drop)
            await holder.commit()
        finally:
            await holder.invalidate()  # the lock ends with its connection


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy from None
        yield


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
