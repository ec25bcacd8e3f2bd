"""The file of a SQLite database. Where it is gone nothing is written, and nothing is made in its place.

SQLite would go on in a file that has no name any more, and a new one made beside the log of the old deletes that log,
with all that was committed and not yet copied.
"""

import os
import sqlite3
from typing import Any

from sqlalchemy.exc import DisconnectionError

from services.runtime.sqlite_thread import Connection, connect

Place = tuple[int, int]


class DatabaseFile:
    """The file of one engine. Connections stay open while it is gone: put back, it is used at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen = False

    async def connect(self, database: str, **options: Any) -> Connection:
        """Open it; make it only where it was never seen and left no log. Raises sqlite3.OperationalError."""
        if self._place():
            self._seen = True
        elif self._seen or _size(self._path + "-wal"):
            raise self._gone()
        connection = connect(database, **options)
        await connection
        opened = _place(self._path)

        def guard() -> None:
            if _place(self._path) != opened:
                raise self._gone()

        connection.guard, connection.opened = guard, opened
        return connection

    def taken(self, connection: Any, _record: Any, _proxy: Any) -> None:
        """Let a connection go whose place another database has taken (SQLAlchemy's event `checkout`)."""
        place = self._place()
        if place and place != connection.driver_connection.opened:
            raise DisconnectionError(f"{self._path} is another file now")

    def _place(self) -> Place | None:
        """Where it lies, if it holds anything."""
        return _place(self._path) if _size(self._path) else None

    def _gone(self) -> sqlite3.OperationalError:
        return sqlite3.OperationalError(f"{self._path} was moved or deleted; put it back")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _place(path: str) -> Place | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
