"""Reads the little Markdown that our runbooks use, so that the page can show them: headings, lists, tables, code. Pure."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

_ITEM = re.compile(r"(?:-|(\d+)\.) (.*)")


class Piece(NamedTuple):
    """A run of text; `code` is what stands between backticks."""

    text: str
    code: bool


Line = list[Piece]


class Block(NamedTuple):
    """`kind` is h1, h2, p, ul, ol or table; a row holds one line, in a table one for each cell."""

    kind: str
    rows: list[list[Line]]


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a runbook in their order; what is none of the known kinds is a paragraph."""
    for filled, lines in groupby(text.splitlines(), key=lambda line: bool(line.strip())):
        if filled:
            yield from _blocks(list(lines))


def _blocks(lines: list[str]) -> Iterator[Block]:
    if mark := re.match(r"(#{1,2}) (.*)", lines[0]):
        yield Block(f"h{len(mark[1])}", [[pieces(mark[2])]])
        if lines[1:]:
            yield from _blocks(lines[1:])
    elif lines[0].startswith("|"):
        rows = [line.strip().strip("|").split("|") for line in lines if not re.fullmatch(r"[|\s:-]+", line)]
        yield Block("table", [[pieces(cell.strip()) for cell in row] for row in rows])
    elif first := _ITEM.match(lines[0]):
        yield Block("ol" if first[1] else "ul", [[pieces(item)] for item in _items(lines)])
    else:
        yield Block("p", [[pieces(" ".join(line.strip() for line in lines))]])


def _items(lines: list[str]) -> list[str]:
    """A line that begins no item goes on with the one before."""
    found: list[str] = []
    for line in lines:
        if item := _ITEM.match(line):
            found.append(item[2])
        else:
            found[-1] += " " + line.strip()
    return found


def pieces(text: str) -> Line:
    """Text and code in turns; a link is its words."""
    plain = re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", text)
    return [Piece(part, code=bool(turn % 2)) for turn, part in enumerate(plain.split("`")) if part]
