"""Remembers what was handled, in one SQLite file: an event that comes again is recognised and not handled twice."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Seen:
    """Several threads and processes may share one file; they take turns while one of them handles an event."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._database.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY) WITHOUT ROWID")

    @contextmanager
    def once(self, name: str) -> Iterator[bool]:
        """Whether `name` is new; it is remembered if the block ends well, and forgotten if the block raises.

        Raises sqlite3.Error if the file cannot be used.
        """
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                done = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,))
                yield done.rowcount == 1
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()
