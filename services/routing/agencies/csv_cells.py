"""A CSV file line by line, with every fault named by line and column."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

E = TypeVar("E", bound=StrEnum)
LONGEST = 300


class BrokenFile(Exception):
    """A file that cannot be used; `faults` are all mistakes found, as `line 12, column region: …`."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(faults))


class Row(NamedTuple):
    """One line; a fault noted here gives a harmless stand-in, so that all faults are found."""

    line: int
    cells: dict[str, str]
    faults: list[str]

    def fault(self, column: str, says: str) -> None:
        self.faults.append(f"line {self.line}, column {column}: {says}")

    def code(self, column: str, kind: type[E], default: E | None = None) -> E | None:
        """The code of a closed vocabulary in a cell."""
        text = self.cells[column]
        return default if default is not None and not text else self._one(column, text, kind)

    def codes(self, column: str, kind: type[E]) -> tuple[E, ...]:
        """The codes of a cell, with blanks between them."""
        found = [self._one(column, word, kind) for word in self.cells[column].split()]
        return tuple(code for code in found if code is not None)

    def one_of(self, column: str, known: Sequence[str]) -> str | None:
        """The text of a cell if it is one of these; None for an empty cell."""
        text = self.cells[column]
        if text and text not in known:
            self.fault(column, f"'{text[:40]}' is not known here; write one of {', '.join(known)}")
        return text or None

    def day(self, column: str) -> date | None:
        """The day in a cell; None for an empty one."""
        text = self.cells[column]
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.fault(column, f"'{text[:40]}' is not a day of the calendar; write it as YYYY-MM-DD")
            return None

    def checked(self, column: str, text: str, check: Callable[[str], Any], cure: str) -> bool:
        """Whether `check` knows a text; it raises KeyError or ValueError where it does not."""
        try:
            check(text)
        except (KeyError, ValueError):
            self.fault(column, f"'{text[:40]}' is not known here; {cure}")
            return False
        return True

    def _one(self, column: str, text: str, kind: type[E]) -> E | None:
        if text in list(kind):
            return kind(text)
        near = get_close_matches(text.upper(), list(kind), 1)
        cure = f"did you mean {near[0]}?" if near else f"write one of {', '.join(kind)}"
        self.fault(column, f"'{text[:40]}' is not known here; {cure}")
        return None


def rows_of(raw: bytes, columns: Sequence[str], required: Sequence[str], faults: list[str]) -> list[Row]:
    """The lines of a file with these columns, `required` ones filled. Raises BrokenFile where no line can be read."""
    line = 1
    try:
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        head = [name.strip() for name in next(reader, [])]
        if wrong := _head(head, columns, required):
            raise BrokenFile(wrong)
        found = []
        for cells in reader:
            line = reader.line_num
            if any(cell.strip() for cell in cells) and (row := _row(line, head, cells, faults)):
                found.append(row)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BrokenFile([f"line {line}, column 1: is not UTF-8; save the file as CSV in UTF-8"]) from None
    except csv.Error as error:
        raise BrokenFile([f"line {line + 1}, column 1: {error}; mend the quotes"]) from None
    whole = {name: "" for name in columns}
    return [filled for row in found if (filled := _filled(row._replace(cells=whole | row.cells), required))]


def _head(head: list[str], columns: Sequence[str], required: Sequence[str]) -> list[str]:
    unknown = [name for name in head if name not in columns]
    twice = sorted({name for name in head if head.count(name) > 1})
    return [
        *(f"line 1, column {name[:40]}: is no column here; {_near(name, columns)}" for name in unknown),
        *(f"line 1, column {name}: is missing; add it" for name in required if name not in head),
        *(f"line 1, column {name}: stands there twice; keep one" for name in twice),
    ]


def _near(name: str, columns: Sequence[str]) -> str:
    near = get_close_matches(name, columns, 1)
    return f"did you mean {near[0]}?" if near else f"the columns are {', '.join(columns)}"


def _row(line: int, head: list[str], cells: list[str], faults: list[str]) -> Row | None:
    if len(cells) == len(head):
        return Row(line, {name: cell.strip() for name, cell in zip(head, cells, strict=True)}, faults)
    faults.append(f"line {line}, column {len(cells)}: has {len(cells)} cells, the first line {len(head)}")
    return None


def _filled(row: Row, required: Sequence[str]) -> Row | None:
    before = len(row.faults)
    for column, text in row.cells.items():
        if column in required and not text:
            row.fault(column, "is empty; every line needs it")
        if not text.isprintable() or len(text) > LONGEST:
            row.fault(column, f"is longer than {LONGEST} characters or holds control characters; mend it")
    return row if len(row.faults) == before else None
