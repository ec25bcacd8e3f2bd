"""Puts a lie into a database, asks the checker, and takes it back."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from services.runtime.bus import Bus
from tests.cli.verify.planting import sentences

Lie = tuple[str, str, str]
"""The kind that must be found, what changes the database, and words that must be said."""


async def each_is_named(bus: Bus, file: Path, lies: Iterable[Lie], now: datetime, **more: Any) -> None:
    """Each lie by itself in a database of a data folder, whose other databases are true; without it nothing is found."""
    assert await sentences(bus, file.parent, now, **more) == []
    for kind, sql, words in lies:
        with kept(file) as path:
            executed(path, sql)
            found = await sentences(bus, file.parent, now, **more)
        assert any(kind == of and words in says for of, says in found), (kind, sql, found)


class kept:  # noqa: N801 - reads as a word
    """A database that is put back as it was."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        self.before = sqlite3.connect(":memory:")
        with sqlite3.connect(self.path) as source:
            source.backup(self.before)
        return self.path

    def __exit__(self, *_: Any) -> None:
        with sqlite3.connect(self.path) as target:
            self.before.backup(target)
        self.before.close()


def executed(path: Path, sql: str) -> Any:
    """The first value of a question; a change must change something."""
    with sqlite3.connect(path) as connection:
        done = connection.execute(sql)
        assert sql.startswith("SELECT") or done.rowcount > 0
        return next(iter(done.fetchone() or ()), None)
