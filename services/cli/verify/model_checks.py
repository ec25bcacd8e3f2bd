"""Compares the databases with the streams: read model, vault and ledger, each read with plain SQL."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts import regions
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, Person
from services.cli.verify.logbook import Logbook

GROUP = 200
Row = dict[str, Any]
Rows = dict[str, dict[str, list[Row]]]
_TABLES = ("versions", "matters", "inbox", "timers", "steps", "cases", "case_reports", "offers")


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
            self._count(case)
            found += _compared(case, {table: rows[table].get(case.case_id, []) for table in _TABLES})
        return found

    async def totals(self) -> AsyncIterator[Finding]:
        """What only the whole shows: rows of no case, and the counts."""
        async with self._engine.connect() as connection:
            for table in ("versions", "matters", "cases", "steps", "offers", "case_reports"):
                count = int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608
                if count != self._expected[table]:
                    says = f"the table {table} has {count} rows, the log has {self._expected[table]}"
                    yield Finding("model-count", "", says)
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
            ((p["owner"] or {}).get("agency", ""), p["state"], p["stage"], p["class"], province)
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
    wanted, found = (
        {ref: _stands(p) for ref, p in newest.persons.items()},
        {r["ref"]: _row(r) for r in rows["matters"]},
    )
    yield from _differences(case.case_id, "matter", wanted, found)
    inbox = {(r["agency"], r["office"], r["role"]): "there" for r in rows["inbox"]}
    parts = [part for p in newest.persons.values() for part in p["parts"] if part["active"]]
    held = {(part["agency"], part["office"] or "", part["role"]): "there" for part in parts}
    yield from _differences(case.case_id, "inbox", held, inbox)
    timers = {(r["ref"], r["agency"], r["last_day"], r["level"]): bool(r["fired"]) for r in rows["timers"]}
    yield from _differences(case.case_id, "timer", _timers(case, newest.persons), timers)
    for table, kind in (
        ("steps", "step"),
        ("offers", "offered"),
        ("case_reports", "reports"),
        ("cases", "decided"),
    ):
        if len(rows[table]) != len(case.of(kind)):
            says = f"the table {table} has {len(rows[table])} rows of it, the log {len(case.of(kind))}"
            yield Finding("model-rows", case.case_id, says)


def _differences(case_id: str, what: str, wanted: dict[Any, Any], found: dict[Any, Any]) -> Iterator[Finding]:
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key):
            name = key if isinstance(key, str) else " ".join(key)
            says = f"{what} {name}: the read model says {found.get(key)}, the log {wanted.get(key)}"
            yield Finding(f"model-{what}", case_id, says)


def _stands(person: Person) -> tuple[Any, ...]:
    owner = person["owner"] or {}
    return owner.get("agency"), owner.get("office"), person["state"], person["owner"] is None


def _row(row: Row) -> tuple[Any, ...]:
    return row["owner"], row["office"], row["state"], bool(row["closed"])


def _timers(case: Case, persons: dict[str, Person]) -> dict[tuple[str, ...], bool]:
    """Each limit that runs, and whether it has spoken."""
    opened = case.versions[0].at
    said = {(f.data["person"], f.data["agency"], f.data["last_day"], f.data["level"]) for f in case.of("due")}
    said |= {(f.data["person"], "OPERATOR", f.data["last_day"], "QUEUE") for f in case.of("waiting")}
    keys = [
        (ref, due["agency"], due["last_day"], level)
        for ref, person in persons.items()
        for due in person["dues"]
        for level, name in (("REMINDER", "remind_at"), ("OVERDUE", "over_at"))
        if level == "OVERDUE" or datetime.fromisoformat(due[name]) > opened
    ]
    keys += [
        (ref, "OPERATOR", p["alarm"]["last_day"], "QUEUE") for ref, p in persons.items() if p.get("alarm")
    ]
    return {key: key in said for key in keys}


async def _of(connection: AsyncConnection, table: str, ids: list[str]) -> dict[str, list[Row]]:
    query = text(f"SELECT * FROM {table} WHERE case_id IN :ids")  # noqa: S608 - a name of ours
    found: dict[str, list[Row]] = {}
    for row in await connection.execute(query.bindparams(bindparam("ids", ids, expanding=True))):
        found.setdefault(row.case_id, []).append(dict(row._mapping))
    return found


def _cell(row: Any) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("owner", "state", "stage", "class", "province"))


async def check_vault(engine: AsyncEngine, book: Logbook) -> AsyncIterator[Finding]:
    """Every accepted report is in the vault, and what the vault calls accepted is in the stream.

    A report that waits in the vault may be in the stream already: intake died before it noted the acknowledgement.
    """
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT report_id, state FROM reports"))
        kept = {row.report_id: row.state for row in rows}
    told = {row[0] for row in book.db.execute("SELECT report_id FROM reports")}
    for report_id in sorted(told - kept.keys()):
        yield Finding("vault-missing", report_id, "is in the stream REPORTS but not in the vault")
    for report_id in sorted(set(kept) - told):
        if kept[report_id] == "accepted":
            yield Finding("vault-only", report_id, "is accepted in the vault but not in the stream REPORTS")


async def check_ledger(engine: AsyncEngine, book: Logbook) -> AsyncIterator[Finding]:
    """Each e-mail ended once: a second try only after one of unknown outcome; what was told is what the ledger says."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT notice_id, case_id, state, attempts, doubts, told FROM notices")
        )
        ledger = {row.notice_id: row for row in found}
    counts = Counter(row[0] for row in book.db.execute("SELECT notice_id FROM notices"))
    outcomes = dict(book.db.execute("SELECT notice_id, outcome FROM notices").fetchall())
    for notice_id, count in counts.items():
        if count > 1:
            yield Finding("notice-twice", notice_id, f"was told {count} times")
        if notice_id not in ledger:
            yield Finding("notice-stray", notice_id, "was told but is not in the ledger")
    for finding in _ledger(ledger.values(), outcomes):
        yield finding


def _ledger(rows: Iterable[Any], outcomes: dict[str, str]) -> Iterator[Finding]:
    for row in rows:
        if row.told and outcomes.get(row.notice_id) != row.state:
            says = f"ended {row.state} by the ledger, {outcomes.get(row.notice_id)} by the stream"
            yield Finding("notice-outcome", row.notice_id, says)
