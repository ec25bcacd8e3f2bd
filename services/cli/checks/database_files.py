"""Checks whether the SQLite files of the services are whole; a database server looks after itself."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import make_url

from services.cli.checks.finding import Finding, fail, ok, warn

MOST_BYTES = 1 << 30
"""A larger file takes too long to look through while somebody waits."""
CURE = "docs/runbooks/ServiceNotReady.md says what to do with each"


def database_files(addresses: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each file that is there, of databases by name and SQLAlchemy URL."""
    for name, address in addresses.items():
        url = make_url(address)
        path = Path(url.database or "")
        if url.get_backend_name() == "sqlite" and path.is_file():
            yield _looked_through(f"database {name}", path)


def _looked_through(what: str, path: Path) -> Finding:
    if (size := path.stat().st_size) > MOST_BYTES:
        return ok(what, f"{size >> 20} MiB, too large to be looked through")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            (first,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError as trouble:
        return warn(what, f"{path} cannot be read now ({trouble})", "try again")
    except sqlite3.DatabaseError as trouble:
        return fail(what, f"{path} is damaged ({trouble})", CURE)
    return ok(what, "whole") if first == "ok" else fail(what, f"{path} is damaged ({first})", CURE)
