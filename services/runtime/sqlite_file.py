"""The file of a SQLite database. Where it is gone nothing is written, and nothing is made in its place.

SQLite would go on in a file that has no name any more, and a new one made beside the log of the old deletes that log,
with all that was committed and not yet copied. Nor does it notice that its log was deleted: what is written into that
dies with the process. Nothing is; and what the log holds is put into the database when the last connection to it closes,
which is before another one opens.
"""

import os
import sqlite3
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import Pool

from services.runtime.sqlite_thread import Connection, connect

Place = tuple[int, int]


class DatabaseFile:
    """The file of one engine. Connections stay open while it is gone: put back, it is used at once."""

    pool: Callable[[], Pool]
    """What holds the connections."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen = False
        self._connections = WeakSet[Connection]()

    async def connect(self, database: str, **options: Any) -> Connection:
        """Open it; make it only where it was never seen and left no log. Raises sqlite3.OperationalError."""
        place = self._place()
        if place:
            self._seen = True
        elif self._seen or _size(self._path + "-wal"):
            raise self._gone()
        for other in self._connections:
            if other.opened == place:  # in one process they would share what they know of the log
                self._check_log(other)
        connection = connect(database, **options)
        await connection
        opened = _place(self._path)

        def guard() -> None:
            if _place(self._path) != opened:
                raise self._gone()
            self._check_log(connection)

        connection.guard, connection.opened = guard, opened
        self._connections.add(connection)
        return connection

    def taken(self, connection: Any, _record: Any, _proxy: Any) -> None:
        """Let a connection go whose place, or that of its log, another file has taken (SQLAlchemy's event `checkout`)."""
        place = self._place()
        if place and place != connection.driver_connection.opened:
            raise DisconnectionError(f"{self._path} is another file now")
        if place and self._lost_log(connection.driver_connection):
            self.pool().dispose()  # those at rest: each holds the lost log
            raise DisconnectionError(f"{self._path}-wal is another file now")

    def _check_log(self, connection: Connection) -> None:
        if connection.is_open and self._lost_log(connection):
            raise sqlite3.OperationalError(f"{self._path}-wal was moved or deleted; it is written anew")

    def _lost_log(self, connection: Connection) -> bool:
        log = tuple(_place(self._path + ending) for ending in ("-wal", "-shm"))
        if connection.log is None and connection.logs and all(log):
            connection.log = log
        return connection.log not in (None, log)

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
