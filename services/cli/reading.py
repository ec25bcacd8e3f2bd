"""Reads what a person names on the command line: a file, or `-` for standard input."""

import sys
from pathlib import Path
from typing import BinaryIO

from services.cli.errors import BAD_INPUT, Stop

LIMIT = 16 * 1024 * 1024
"""The most that is read of one document, in bytes; a valid report stays far below."""


def read_bytes(name: str, limit: int = LIMIT) -> bytes:
    """The content of a file or of standard input. Raises Stop (2): unreadable, empty, too large."""
    shown = "standard input" if name == "-" else name
    try:
        if name == "-":
            raw = _upto(sys.stdin.buffer, limit)
        else:
            with Path(name).open("rb") as file:
                raw = _upto(file, limit)
    except (OSError, ValueError) as problem:
        cause = getattr(problem, "strerror", None) or "not the name of a file"
        raise Stop(
            f"{shown}: cannot be read ({cause}); name a file you may read, or - for standard input", BAD_INPUT
        ) from None
    if len(raw) > limit:
        raise Stop(
            f"{shown}: is larger than {limit // 1024 // 1024} MiB; this is not one document of ours",
            BAD_INPUT,
        )
    if not raw.strip():
        raise Stop(f"{shown}: is empty; write a JSON document into it", BAD_INPUT)
    return raw


def _upto(file: BinaryIO, limit: int) -> bytes:
    return file.read(limit + 1)
