"""The journal of `netral send`: what was accepted, with ticket and receipt, so that a second run skips it."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from services.cli.errors import Stop


class Journal:
    """A file of JSON lines that only its owner may read, because a receipt opens its report's status."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        """Open for appending. Raises Stop if that cannot be done, before anything was sent."""
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            os.fchmod(self._file, 0o600)
        except OSError as problem:
            cure = "name another place with --journal"
            raise Stop(f"{self.path}: the journal cannot be written ({problem.strerror}); {cure}") from None
        self._end_a_torn_line()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def accepted(self, url: str) -> set[str]:
        """The keys that the door at `url` has accepted; lines that cannot be read count for nothing."""
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        return {entry["key"] for entry in map(_entry, lines) if entry.get("url") == url and "key" in entry}

    def add(self, entry: dict[str, str]) -> None:
        """Append one entry, whole."""
        os.write(self._file, (json.dumps(entry) + "\n").encode())

    def _end_a_torn_line(self) -> None:
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
