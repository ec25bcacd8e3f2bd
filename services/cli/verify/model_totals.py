"""What the read model counts over all cases, counted a second time: rows, persons and cases in cells, how long they wait."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import regions
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, Person
from services.cli.verify.model_rows import instant, limit_of, since_of

Cell = tuple[str, ...]
_COUNTED = ("versions", "matters", "cases", "steps", "offers", "case_reports", "links", "spoken")
_STRAY = {
    table: text(f"SELECT count(*) FROM {table} WHERE case_id NOT IN (SELECT case_id FROM versions)")  # noqa: S608
    for table in ("inbox", "timers")
}
_HOURS = {"since": 24, "quarter_at": 6, "remind_at": 6, "over_at": 1}
"""To the end of so many hours since 1970 the instants of waits are counted."""
_DIMENSIONS = ("owner", "state", "stage", "class", "province")
_SUMS = tuple(product((True, False), repeat=len(_DIMENSIONS)))
"""Which dimensions a sum of cells asks for; in an overlap `*` stands for the others."""
_QUERIES = {
    "tally": "SELECT owner, state, stage, class, province, persons, cases FROM tallies",
    "overlap": 'SELECT owner, state, stage, class, province, cases FROM "overlaps"',
    "wait": "SELECT owner, state, mark, at, persons FROM waits",
}
_KEYS = {"tally": 5, "overlap": 5, "wait": 4}


class Totals:
    """Adds up case after case; as large as the tables it is compared with, however many cases there are."""

    def __init__(self) -> None:
        self._rows = Counter[str]()
        self._persons, self._cases = Counter[Cell](), Counter[Cell]()
        self._overlaps, self._waits = Counter[Cell](), Counter[Cell]()

    def add(self, case: Case, rows: dict[str, int]) -> None:
        """Count a case; `rows` is how many each table must have of it."""
        self._rows.update(rows)
        newest = case.versions[-1].persons
        province = regions.bare(case.of("decided")[0].data["region"])[:2]
        cells = [_cell(person, province) for person in newest.values()]
        self._persons.update(cells)
        self._cases.update(set(cells))
        self._overlaps.update(_overlaps(set(cells)))
        for ref, person in newest.items():
            self._waits.update(_waits(case, ref, person))

    async def compare(self, connection: AsyncConnection) -> list[Finding]:
        """Everything that is counted otherwise, and rows of no case."""
        found = list[Finding]()
        for table in _COUNTED:
            count = int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608
            if count != self._rows[table]:
                says = f"the table {table} has {count} rows, the log has {self._rows[table]}"
                found.append(Finding("model-count", "", says))
        for table, stray in _STRAY.items():
            if count := int((await connection.execute(stray)).scalar_one()):
                found.append(Finding("model-count", "", f"the table {table} has {count} rows of no case"))
        for what, wanted in self._wanted().items():
            rows = await connection.execute(text(_QUERIES[what]))
            there = {_key(row, _KEYS[what]): tuple(row)[_KEYS[what] :] for row in rows}
            found += _differences(what, wanted, {key: sums for key, sums in there.items() if any(sums)})
        return found

    def _wanted(self) -> dict[str, dict[Cell, tuple[int, ...]]]:
        return {
            "tally": {cell: (self._persons[cell], self._cases[cell]) for cell in self._persons},
            "overlap": {cell: (count,) for cell, count in self._overlaps.items()},
            "wait": {cell: (count,) for cell, count in self._waits.items()},
        }


def _differences(
    what: str, wanted: dict[Cell, tuple[int, ...]], there: dict[Cell, tuple[int, ...]]
) -> Iterator[Finding]:
    for cell in sorted(wanted.keys() | there.keys(), key=str):
        if wanted.get(cell) != there.get(cell):
            counts = f"{there.get(cell)} in the read model, {wanted.get(cell)} by the log"
            yield Finding(f"model-{what}", "", f"{' '.join(map(str, cell))}: {counts}")


def _key(row: Iterable[Any], size: int) -> Cell:
    """The last of a wait's is an instant."""
    *words, last = tuple(row)[:size]
    return (*map(str, words), str(last) if size == len(_DIMENSIONS) else str(instant(last)))


def _cell(person: Person, province: str) -> Cell:
    owner = (person["owner"] or {}).get("agency", "")
    return owner, person["state"], str(person.get("stage")), str(person.get("class")), province


def _overlaps(cells: set[Cell]) -> Counter[Cell]:
    """How often the case would be counted too much in each sum of cells."""
    found = Counter[Cell]()
    for asked in _SUMS if len(cells) > 1 else ():
        sums = Counter(
            tuple(word if wanted else "*" for word, wanted in zip(cell, asked, strict=True)) for cell in cells
        )
        found.update({cell: count - 1 for cell, count in sums.items() if count > 1})
    return found


def _waits(case: Case, ref: str, person: Person) -> Iterator[Cell]:
    """Since when an open person waits, and when parts of the time limit are over."""
    if person["owner"] is None:
        return
    instants = {"since": since_of(case.versions, ref), **limit_of(person)}
    for mark, hours in _HOURS.items():
        if instants[mark] is not None:
            yield person["owner"]["agency"], person["state"], mark, str(_rounded(instants[mark], hours))


def _rounded(at: datetime, hours: int) -> datetime:
    epoch, step = datetime(1970, 1, 1, tzinfo=UTC), timedelta(hours=hours)
    whole, rest = divmod(at - epoch, step)
    return epoch + (whole + bool(rest)) * step
