"""Compares the read model with the log: every case, and what is counted over all of them; read with plain SQL."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts import regions
from services.cli.verify.findings import BROKEN, Finding, unreadable
from services.cli.verify.history import Case
from services.cli.verify.model_rows import Row, Table, by_log, by_model

GROUP = 200
_NAMES = {
    "matters": "matter",
    "inbox": "inbox",
    "timers": "timer",
    "steps": "step",
    "offers": "offer",
    "case_reports": "report",
    "cases": "case",
}
_TABLES = ("versions", *_NAMES)
_STRAY = {
    "inbox": text("SELECT count(*) FROM inbox WHERE case_id NOT IN (SELECT case_id FROM versions)"),
    "timers": text("SELECT count(*) FROM timers WHERE case_id NOT IN (SELECT case_id FROM versions)"),
}
_STANDS = ("owner", "office", "state", "closed")


class ReadModel:
    """Compares case after case; what is counted over all of them is compared at the end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[Case] = []
        self._expected = Counter[str]()
        self._persons, self._cases = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()

    async def add(self, case: Case) -> list[Finding]:
        """Take a case up; the findings of a whole group come when it is full."""
        self._waiting.append(case)
        return await self.flush() if len(self._waiting) >= GROUP else []

    async def flush(self) -> list[Finding]:
        """The findings of the cases taken up since the last time."""
        cases, self._waiting = self._waiting, []
        if not cases:
            return []
        async with self._engine.connect() as connection:
            rows = {table: await _of(connection, table, [c.case_id for c in cases]) for table in _TABLES}
        found: list[Finding] = []
        for case in cases:
            try:
                self._count(case)
                found += _compared(case, {table: rows[table].get(case.case_id, []) for table in _TABLES})
            except BROKEN as broken:
                found.append(unreadable(case.case_id, broken))
        return found

    async def totals(self) -> AsyncIterator[Finding]:
        """What only the whole shows: rows of no case, and the counts."""
        async with self._engine.connect() as connection:
            for table in ("versions", "matters", "cases", "steps", "offers", "case_reports"):
                count = int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608
                if count != self._expected[table]:
                    says = f"the table {table} has {count} rows, the log has {self._expected[table]}"
                    yield Finding("model-count", "", says)
            for table, stray in _STRAY.items():
                if count := int((await connection.execute(stray)).scalar_one()):
                    yield Finding("model-count", "", f"the table {table} has {count} rows of no case")
            found = await connection.execute(text("SELECT * FROM tallies WHERE persons <> 0 OR cases <> 0"))
            rows = {_cell(row._mapping): (row.persons, row.cases) for row in found}
        wanted = {cell: (self._persons[cell], self._cases[cell]) for cell in self._persons}
        for cell in sorted(wanted.keys() | rows.keys()):
            if wanted.get(cell) != rows.get(cell):
                counts = (
                    f"{rows.get(cell)} persons and cases in the read model, {wanted.get(cell)} by the log"
                )
                yield Finding("model-tally", "", f"{' '.join(cell)}: {counts}")

    def _count(self, case: Case) -> None:
        newest = case.versions[-1].persons.values()
        self._expected.update(
            versions=1,
            cases=1,
            matters=len(newest),
            steps=len(case.steps),
            offers=len(case.of("offered")),
            case_reports=len(case.of("reports")),
        )
        province = regions.bare(case.of("decided")[0].data["region"])[:2]
        cells = [
            (
                (p["owner"] or {}).get("agency", ""),
                p["state"],
                str(p.get("stage")),
                str(p.get("class")),
                province,
            )
            for p in newest
        ]
        self._persons.update(cells)
        self._cases.update(set(cells))


def _compared(case: Case, rows: dict[str, list[Row]]) -> Iterator[Finding]:
    newest = case.versions[-1]
    if [row["version"] for row in rows["versions"]] != [newest.number]:
        there = [row["version"] for row in rows["versions"]]
        yield Finding(
            "model-version", case.case_id, f"the read model has version {there}, the log {newest.number}"
        )
        return
    if any(person.get("old") for version in case.versions for person in version.persons.values()):
        return  # made by what a release before this one knew of decisions alone
    wanted = by_log(case)
    for table, what in _NAMES.items():
        if len(rows[table]) != len(wanted[table]):
            says = f"the table {table} has {len(rows[table])} rows of it, the log {len(wanted[table])}"
            yield Finding("model-rows", case.case_id, says)
        yield from _differences(case.case_id, what, wanted[table], by_model(table, rows[table]))


def _differences(case_id: str, what: str, wanted: Table, found: Table) -> Iterator[Finding]:
    for key in sorted(wanted.keys() | found.keys()):
        name = " ".join(map(str, (what, *key)))
        if key not in found or key not in wanted:
            where = "the log" if key in found else "the read model"
            yield Finding(f"model-{what}", case_id, f"{name}: is not in {where}")
            continue
        for says in _otherwise(wanted[key], found[key]):
            yield Finding(f"model-{what}", case_id, f"{name}: {says}")


def _otherwise(wanted: Row, found: Row) -> Iterator[str]:
    if "owner" in wanted and _stands(wanted) != _stands(found):
        yield f"the read model says {_stands(found)}, the log {_stands(wanted)}"
    for name in [name for name in wanted if name not in _STANDS or "owner" not in wanted]:
        if wanted[name] != found[name]:
            words = name in ("event", "matter")
            says = f"the read model says {found[name]}, the log {wanted[name]}"
            yield f"{name}: the read model has other words than the log" if words else f"{name}: {says}"


def _stands(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _STANDS)


async def _of(connection: AsyncConnection, table: str, ids: list[str]) -> dict[str, list[Row]]:
    query = text(f"SELECT * FROM {table} WHERE case_id IN :ids")  # noqa: S608 - a name of ours
    found: dict[str, list[Row]] = {}
    for row in await connection.execute(query.bindparams(bindparam("ids", ids, expanding=True))):
        found.setdefault(row.case_id, []).append(dict(row._mapping))
    return found


def _cell(row: Any) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("owner", "state", "stage", "class", "province"))
