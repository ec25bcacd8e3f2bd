"""SQLite behind asyncio with one trip to its thread for each statement (ADR 0096)."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import aiosqlite
from aiosqlite.core import _connection_worker_thread

if TYPE_CHECKING:
    import asyncio
    from queue import SimpleQueue


class Cursor:
    """What SQLAlchemy asks of a cursor. A statement is executed, read and put away in one go; rows wait here."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> Self:
        """Execute one statement; `fetchall` gives its rows."""
        return await self._run("execute", statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Execute a statement that gives no rows, once for each set of parameters."""
        return await self._run("executemany", statement, parameters)

    async def fetchall(self) -> Sequence[Any]:
        """Every row of the last statement, once."""
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """Nothing is open."""

    async def _run(self, how: str, *what: Any) -> Self:
        await self._connection._execute(self._done, how, *what)
        return self

    def _done(self, how: str, *what: Any) -> None:
        self._connection.guard()
        cursor = self._connection._conn.cursor()
        try:
            getattr(cursor, how)(*what)
            self.description, self.lastrowid = cursor.description, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else ()
            self.rowcount = cursor.rowcount
            if what[0].startswith("PRAGMA journal_mode"):
                self._connection.logs, self._connection.log = what[0].endswith("WAL"), None
        finally:
            cursor.close()


class Connection(aiosqlite.Connection):
    """Goes to its thread only for what SQLite must do, and can be stopped twice.

    aiosqlite's own waits for ever when it is stopped again after its thread has ended. SQLAlchemy stops twice when a
    question is cut off, and cut off again while its connection is being closed.
    """

    trips = 0
    """How often the thread was asked for something."""
    guard: Callable[[], None] = staticmethod(lambda: None)
    """Asked before each statement and commit; what it raises is their failure."""
    opened: tuple[int, int] | None = None
    """Device and inode of the file."""
    logs = False
    """Whether it was told to write a log, which it holds open from then on."""
    log: tuple[object, ...] | None = None
    """Where that log and its index were first seen."""
    _made = 0
    _stopped: "asyncio.Future[None] | None" = None

    @property
    def is_open(self) -> bool:
        """Whether SQLite still holds its files."""
        return self._connection is not None

    def cursor(self) -> Cursor:  # type: ignore[override]
        """A cursor; nothing has to be opened for it."""
        return Cursor(self)

    async def commit(self) -> None:
        """Make what was written last."""
        self.guard()
        await super().commit()

    async def rollback(self) -> None:
        """Undo what was begun, or what may have been by a statement that was cut off and still runs."""
        if self._conn.in_transaction or self._made != self.trips:
            await super().rollback()

    def stop(self) -> "asyncio.Future[None] | None":
        """End the thread; a future of that, or None where no loop runs."""
        if self._stopped is None:
            self._stopped = super().stop()
        return self._stopped

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.trips += 1
        return await super()._execute(self._counted, fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def _counted(self, work: Callable[..., Any], *args: Any, **named: Any) -> Any:
        try:
            return work(*args, **named)
        finally:
            self._made += 1  # only ever here, in the one thread


def connect(database: str, **options: Any) -> Connection:
    """A connection that is opened when it is awaited; its thread keeps no process alive."""
    connection = Connection(partial(sqlite3.connect, database, **options), 64)
    # A daemon, as SQLAlchemy has those it makes itself.
    connection._thread = Thread(target=_work, args=(connection._tx,), daemon=True)
    return connection


def _work(asked: "SimpleQueue[Any]") -> None:
    """As aiosqlite's own, which ends with a traceback where the loop that asked was closed before SQLite was done."""
    while True:
        with suppress(RuntimeError):
            _connection_worker_thread(asked)
            return
        if asked.empty():
            return
