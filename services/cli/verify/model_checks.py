"""Compares the read model with the log: every case, and what is counted over all of them; read with plain SQL."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.cli.verify.findings import BROKEN, Finding, unreadable
from services.cli.verify.history import Case
from services.cli.verify.model_rows import Row, Table, by_log, by_model, counts, instant
from services.cli.verify.model_totals import Totals

GROUP = 200
_NAMES = {
    "matters": "matter",
    "inbox": "inbox",
    "timers": "timer",
    "steps": "step",
    "offers": "offer",
    "case_reports": "report",
    "cases": "case",
    "links": "link",
    "spoken": "said",
}
_TABLES = ("versions", *_NAMES)
_STANDS = ("owner", "office", "state", "closed")


class ReadModel:
    """Compares case after case; what is counted over all of them is compared at the end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[Case] = []
        self._totals = Totals()

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
                self._totals.add(case, counts(case))
                found += _compared(case, {table: rows[table].get(case.case_id, []) for table in _TABLES})
            except BROKEN as broken:
                found.append(unreadable(case.case_id, broken))
        return found

    async def totals(self) -> list[Finding]:
        """What only the whole shows."""
        async with self._engine.connect() as connection:
            return await self._totals.compare(connection)


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
    opened = instant(rows["versions"][0]["opened_at"])
    if opened != case.versions[0].at:
        says = f"the read model says that it was opened at {opened}, the log {case.versions[0].at}"
        yield Finding("model-version", case.case_id, says)
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
