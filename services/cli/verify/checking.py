"""Runs every check over streams and databases, in an order in which work under way is not taken for a mistake."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nats.errors import Error as NatsError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.verify.case_checks import check_case
from services.cli.verify.days import DaysOff
from services.cli.verify.decision_checks import Deciding, deciding
from services.cli.verify.due_checks import check_dues
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, case_of
from services.cli.verify.logbook import Logbook
from services.cli.verify.model_checks import ReadModel, check_ledger, check_vault
from services.cli.verify.timer_checks import check_timers
from services.cli.verify.told_checks import check_told
from services.runtime.bus import Bus
from services.runtime.database import open_engine
from services.runtime.reading import page_of

_NEWER_REPORT = "stray-report"
"""Cases are read after the reports: one of a report that was accepted in between is no finding."""


class Databases(NamedTuple):
    """SQLAlchemy addresses of the read model, the vault and the ledger."""

    routing: str
    intake: str
    notifications: str


class Counts(NamedTuple):
    """How much was looked at; `moving` cases went on while they were compared, and were left out of that."""

    reports: int
    events: int
    cases: int
    moving: int


class Checker:
    """One pass; `counts` tells afterwards what it looked at. `patience` is seconds to wait for work under way."""

    def __init__(self, bus: Bus, databases: Databases, off: dict[str, DaysOff], patience: float = 30) -> None:
        self._bus, self._databases, self._off, self._patience = bus, databases, off, patience
        self.counts = Counts(0, 0, 0, 0)

    async def findings(self, now: datetime) -> AsyncIterator[Finding]:
        """Everything that is not as promised. Raises BrokerAway and NATS errors."""
        with tempfile.TemporaryDirectory() as folder:
            book = Logbook(Path(folder) / "scratch.db")
            try:
                await book.reports(self._bus)
                async for finding in self._behind("REPORTS", "routing", book.last["REPORTS"]):
                    yield finding
                await book.rest(self._bus)
                async for finding in self._behind("CASES", "routing-agencies", book.last["CASES"]):
                    yield finding
                await book.told(self._bus)
                async for finding in self._all(book, now):
                    yield finding
            finally:
                book.close()

    async def _all(self, book: Logbook, now: datetime) -> AsyncIterator[Finding]:
        for finding in (*book.odd, *_reports(book)):
            yield finding
        async for finding in self._behind("CASES", "routing-projection", book.last["CASES"]):
            yield finding
        await book.timers(self._bus)
        async for finding in self._cases(book, now):
            yield finding
        async for finding in self._databases_beside(book):
            yield finding

    async def _databases_beside(self, book: Logbook) -> AsyncIterator[Finding]:
        """Vault and ledger, which may be ahead of what was read of their streams."""
        for url, name, check, stream, word in (
            (self._databases.intake, "vault", check_vault, "REPORTS", 1),
            (self._databases.notifications, "ledger", check_ledger, "NOTICES", 2),
        ):
            async with Opened(url) as engine:
                if engine is None:
                    yield Finding(
                        "no-database", "", f"the {name} is not there, so nothing was compared with it"
                    )
                    continue
                found = [finding async for finding in check(engine, book)]
            newer = await self._newer(stream, book.last[stream], word) if found else set()
            for finding in found:
                if finding.subject not in newer:
                    yield finding

    async def _cases(self, book: Logbook, now: datetime) -> AsyncIterator[Finding]:
        found, cases, again = list[Finding](), 0, await deciding(self._bus)
        async with Opened(self._databases.routing) as engine:
            model = ReadModel(engine) if engine else None
            if model is None:
                yield Finding(
                    "no-database", "", "the read model is not there; routing makes it when it starts"
                )
            for case_id, facts, reports in book.cases():
                case, cases = case_of(case_id, facts, reports), cases + 1
                certain = [*check_case(case), *check_dues(case, now, self._off), *_anew(case, book, again)]
                found += [*check_told(case), *(f for f in certain if f.kind == _NEWER_REPORT)]
                for finding in (f for f in certain if f.kind != _NEWER_REPORT):
                    yield finding
                if model and len(case.of("decided")) == 1:
                    found += [*await model.add(case), *check_timers(case, book, now)]
            found += await model.flush() if model else []
            totals = [finding async for finding in model.totals()] if model else []
        moving = await self._newer("CASES", book.last["CASES"], 1)
        newer = moving | await self._newer("REPORTS", book.last["REPORTS"], 1)
        for finding in found:
            if finding.subject not in newer:
                yield finding
        for finding in () if moving else totals:
            yield finding
        events = book.db.execute("SELECT count(*) FROM events WHERE kind != 'told'").fetchone()[0]
        reports_ = book.db.execute("SELECT count(*) FROM reports").fetchone()[0]
        self.counts = Counts(reports_, events, cases, len(moving))

    async def _newer(self, stream: str, last: int, word: int) -> set[str]:
        """What a stream tells of after it was read, by a word of the subject: a database may be ahead of what was read."""
        start, newer = last + 1, set[str]()
        while page := await page_of(self._bus, stream, start):
            newer |= {stored.subject.split(".")[word] for stored in page}
            start = page[-1].seq + 1
        return newer

    async def _behind(self, stream: str, durable: str, last: int) -> AsyncIterator[Finding]:
        """Wait until a durable has handled all that was read; say so if it does not."""
        for _ in range(int(self._patience / 0.1) + 1):
            info = await self._bus.js.consumer_info(stream, durable)
            floor = (info.ack_floor.stream_seq if info.ack_floor else 0) or 0
            if floor >= last or not (info.num_pending or info.num_ack_pending):
                return
            await asyncio.sleep(0.1)
        waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
        says = f"{waiting} messages wait to be handled by {durable}; what is missing below may be among them"
        yield Finding("behind", "", says)


class Opened:
    """A database to read from, None if it is an SQLite file that is not there."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        missing = parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists()
        self._engine: AsyncEngine | None = None if missing else open_engine(url, patient=True)

    async def __aenter__(self) -> AsyncEngine | None:
        return self._engine

    async def __aexit__(self, *_: object) -> None:
        if self._engine:
            await self._engine.dispose()


def _anew(case: Case, book: Logbook, again: Deciding | None) -> Iterator[Finding]:
    return again.check(case, book) if again and len(case.of("decided")) == 1 else iter(())


def _reports(book: Logbook) -> Iterator[Finding]:
    """A report belongs to one case, whichever events name it."""
    twice = "SELECT report_id, count(*) FROM reports GROUP BY report_id HAVING count(*) > 1"
    for report_id, count in book.db.execute(twice):
        yield Finding("accepted-twice", report_id, f"was accepted {count} times")
    several = """SELECT report_id, group_concat(case_id, ' and ') FROM
        (SELECT DISTINCT json_extract(data, '$.report_id') AS report_id, case_id FROM events
         WHERE kind IN ('reports', 'decided') ORDER BY case_id)
        GROUP BY report_id HAVING count(*) > 1"""
    for report_id, cases in book.db.execute(several):
        yield Finding("report-in-two-cases", report_id, f"is in the cases {cases}")


TROUBLES = (NatsError, TimeoutError, SQLAlchemyError)
"""What a pass can end with besides BrokerAway."""
