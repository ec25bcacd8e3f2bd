"""What the commands write: data to standard output, everything else to standard error."""

import json
import sys
from typing import Any

from rich.console import Console


def tables() -> Console:
    """The console for what a person reads on standard output; without a terminal lines do not break."""
    terminal = sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=not terminal, width=None if terminal else 200)


def write_json(document: Any) -> None:
    """One JSON document on standard output, in UTF-8 whatever the locale says."""
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def complain(text: str) -> None:
    """Lines on standard error, with nothing in them that a terminal would obey."""
    for line in text.split("\n"):
        print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    """`text` with every character that does not print written as its escape: one line stays one line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
