"""Copies a database while it is in use: SQLite by its own online backup, PostgreSQL by pg_dump and pg_restore."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from services.cli.errors import TROUBLE, Stop
from services.runtime.database import open_engine

LEFT = ("-wal", "-journal")
"""What SQLite leaves beside a database of which the last word was not spoken."""


def save(address: str, path: Path) -> bool:
    """Copy the database at a SQLAlchemy URL into `path`, as it is at one moment; False if there is none yet. Raises Stop."""
    url = make_url(address)
    if url.get_backend_name() != "sqlite":
        _run(["pg_dump", "--format=custom", f"--file={path}"], address)
        return True
    if not Path(url.database or "").is_file():
        return False
    try:
        source = sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(path)) as copy:
            source.backup(copy)
    except sqlite3.Error as trouble:
        raise Stop(f"{url.database}: cannot be copied to {path} ({trouble})", TROUBLE) from None
    return True


def holds(address: str) -> bool:
    """Whether a database has tables, or is a file that was left with its log. Raises Stop."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return any(Path(f"{url.database}{end}").exists() for end in ("", *LEFT))
    try:
        return bool(asyncio.run(_tables(address)))
    except (SQLAlchemyError, OSError) as trouble:
        raise Stop(f"{url.host}: the database does not answer ({type(trouble).__name__})", TROUBLE) from None


def is_there(address: str) -> bool:
    """Whether a database has tables; a log of SQLite without its file is none. Raises Stop."""
    url = make_url(address)
    return holds(address) and (url.get_backend_name() != "sqlite" or Path(url.database or "").is_file())


async def _tables(address: str) -> list[str]:
    engine = open_engine(address, patient=True)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    finally:
        await engine.dispose()


def load(path: Path, address: str) -> None:
    """Put a copy where the service of that address will look for it; it must be empty there. Raises Stop."""
    url = make_url(address)
    if url.get_backend_name() != "sqlite":
        _run(["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={url.database}", str(path)], address)
        return
    target = Path(url.database or "")
    if holds(address):  # a log that was left would be read into the copy
        raise Stop(f"restore: {target} exists, or its -wal; restore into an empty data folder", TROUBLE)
    shutil.copyfile(path, target)
    target.chmod(0o600)


def _run(argv: list[str], address: str) -> None:
    """The password goes by the environment: an argument can be read by every user of the machine."""
    url = make_url(address)
    named = {
        "PGHOST": url.host,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    env = {**os.environ, **{name: str(value) for name, value in named.items() if value}}
    env["PGPORT"] = str(url.port or 5432)
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    except FileNotFoundError:
        raise Stop(
            f"{argv[0]} is not installed here; install PostgreSQL's client programs", TROUBLE
        ) from None
    if done.returncode:
        raise Stop(f"{argv[0]}: {done.stderr.strip().splitlines()[-1][:300]}", TROUBLE)
