"""What `netral send` is given: files, folders or standard input, cut into single reports."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.door import read_json
from contracts.faults import InvalidDocument
from services.cli.errors import BAD_INPUT, Stop
from services.cli.reading import read_bytes

JOURNAL_ENDING = ".netral-sent.jsonl"
LIMIT = 1024 * 1024 * 1024
"""The most that is read of one file, in bytes; it is held in memory."""


@dataclass(frozen=True)
class Item:
    """One report of a source. `name` is the file and the place in it; `body` is None if it is no JSON."""

    name: str
    body: bytes | None
    faults: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The idempotency key: the same for the same report at the same place of a file of that name."""
        digest = hashlib.sha256(self.name.encode("utf-8", "surrogateescape") + b"\x00" + (self.body or b""))
        return f"send-{digest.hexdigest()}"


def items_of(source: str) -> list[Item]:
    """All reports of a file, a folder (its *.json and *.jsonl, by name) or `-`. Raises Stop (2)."""
    if source == "-":
        return list(_from_stdin(read_bytes("-", LIMIT)))
    path = Path(source)
    if not path.is_dir():
        return list(_from_file(path))
    files = sorted(file for file in _listed(path) if _is_reports(file))
    if not files:
        raise Stop(f"{source}: holds no *.json or *.jsonl file; name the folder with the reports", BAD_INPUT)
    return [item for file in files for item in _from_file(file)]


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as problem:
        raise Stop(
            f"{folder}: cannot be listed ({problem.strerror}); name a folder you may read", BAD_INPUT
        ) from None


def _is_reports(file: Path) -> bool:
    return file.suffix in (".json", ".jsonl") and not file.name.endswith(JOURNAL_ENDING) and not file.is_dir()


def _from_file(file: Path) -> Iterator[Item]:
    raw = read_bytes(str(file), LIMIT)
    return _lines(file.name, raw) if file.suffix == ".jsonl" else _document(file.name, raw)


def _from_stdin(raw: bytes) -> Iterator[Item]:
    """Lines of JSON if the first line is a whole document and not the only one, else one document."""
    first, _, rest = raw.strip().partition(b"\n")
    try:
        read_json(first)
    except InvalidDocument:
        return _document("stdin", raw)
    return _lines("stdin", raw) if rest else _document("stdin", raw)


def _lines(name: str, raw: bytes) -> Iterator[Item]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.strip():
            yield from _document(f"{name}:{number}", line)


def _document(name: str, raw: bytes) -> Iterator[Item]:
    try:
        document = read_json(raw)
    except InvalidDocument as invalid:
        yield Item(name, None, tuple(fault.says for fault in invalid.faults))
        return
    if isinstance(document, list):
        yield from (Item(f"{name}:{number}", _canonical(part)) for number, part in enumerate(document, 1))
    else:
        yield Item(name, _canonical(document))


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")
