"""Runs every check over streams and databases, in an order in which work under way is not taken for a mistake."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nats.errors import Error as NatsError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.verify.case_checks import check_case
from services.cli.verify.days import DaysOff
from services.cli.verify.decision_checks import Deciding, deciding
from services.cli.verify.due_checks import check_dues
from services.cli.verify.findings import BROKEN, Finding, unreadable
from services.cli.verify.history import Case, case_of
from services.cli.verify.ledger_checks import DURABLES, check_ledger
from services.cli.verify.logbook import Fact, Logbook, ReportFact
from services.cli.verify.match_checks import check_answers, check_asked, check_led_on, check_links
from services.cli.verify.model_checks import ReadModel
from services.cli.verify.naming_checks import check_names
from services.cli.verify.newer import last_of, notice_of, report_of, second_of
from services.cli.verify.opened import Opened
from services.cli.verify.paged_checks import check_paged
from services.cli.verify.push_checks import DURABLE as QUEUED_BY
from services.cli.verify.push_checks import check_push
from services.cli.verify.report_checks import check_reports
from services.cli.verify.timer_checks import check_timers
from services.cli.verify.told_checks import check_told
from services.cli.verify.told_words import check_words
from services.cli.verify.vault_checks import MOST_WAITING, WAITING, check_vault, still_stored
from services.runtime.bus import Bus
from services.runtime.reading import Stored, page_of

MOST_LOOKS = 5
"""At the queue of webhooks after the first, a second apart."""
_NEWER_REPORT = "stray-report"
"""Cases are read after the reports: one of a report that was accepted in between is no finding."""
Given = tuple[str, list[Fact], list[ReportFact]]


class Databases(NamedTuple):
    """SQLAlchemy addresses of the read model, the vault, the ledger and the queue of webhooks."""

    routing: str
    intake: str
    notifications: str
    deliveries: str


class Counts(NamedTuple):
    """How much was looked at; `moving` cases went on while they were compared, and were left out of that."""

    reports: int
    events: int
    cases: int
    moving: int


class Checker:
    """One pass; `counts` tells afterwards what it looked at. `patience` is seconds to wait for work under way.

    Without the key of the vault nothing of it is opened.
    """

    def __init__(
        self,
        bus: Bus,
        databases: Databases,
        off: dict[str, DaysOff],
        patience: float = 30,
        vault_key: bytes | None = None,
    ) -> None:
        self._bus, self._databases, self._off, self._patience = bus, databases, off, patience
        self._vault_key = vault_key
        self.counts = Counts(0, 0, 0, 0)

    async def findings(self, now: datetime) -> AsyncIterator[Finding]:
        """Everything that is not as promised. Raises Unread, BrokerAway and NATS errors."""
        with tempfile.TemporaryDirectory() as folder:
            book = Logbook(Path(folder) / "scratch.db")
            try:
                await book.reports(self._bus)
                async for finding in self._behind("REPORTS", "routing", book.last["REPORTS"]):
                    yield finding
                async for finding in self._behind("REPORTS", "routing-resembles", book.last["REPORTS"]):
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
        for finding in (*book.odd, *check_reports(book)):
            yield finding
        async for finding in self._behind("CASES", "routing-projection", book.last["CASES"]):
            yield finding
        await book.timers(self._bus)
        async for finding in self._cases(book, now):
            yield finding
        for url, name, check in (
            (self._databases.intake, "vault", self._vault),
            (self._databases.notifications, "ledger", self._ledger),
            (self._databases.deliveries, "queue of webhooks", self._push),
        ):
            async with Opened(url) as engine:
                if engine is None:
                    says = f"the {name} is not there, so nothing was compared with it"
                    yield Finding("no-database", "", says)
                    continue
                async for finding in check(engine, book, now):
                    yield finding

    async def _vault(self, engine: AsyncEngine, book: Logbook, now: datetime) -> AsyncIterator[Finding]:
        """It may be ahead of what was read of the reports, and intake just be noting what was accepted."""
        found = [finding async for finding in check_vault(engine, book, now, self._vault_key)]
        waiting = [finding.subject for finding in found if finding.kind == WAITING][:MOST_WAITING]
        left = set(waiting)
        for _ in range(int(self._patience)):
            if not left:
                break
            await asyncio.sleep(1)
            left = await still_stored(engine, sorted(left))
        newer = await self._newer("REPORTS", book.last["REPORTS"], second_of) if found else set()
        settled = set(waiting) - left
        for finding in found:
            if finding.subject not in newer and not (finding.kind == WAITING and finding.subject in settled):
                yield finding

    async def _ledger(self, engine: AsyncEngine, book: Logbook, now: datetime) -> AsyncIterator[Finding]:
        """It may be ahead of what was read of the notices; what it must hold is known once that was handled."""
        behind = list[Finding]()
        for stream, durable in DURABLES:
            behind += [late async for late in self._behind(stream, durable, book.last[stream])]
            if behind:
                break
        found = [finding async for finding in check_ledger(engine, book, now, complete=not behind)]
        newer = await self._newer("NOTICES", book.last["NOTICES"], notice_of) if found else set()
        for finding in (*behind, *found):
            if finding.subject not in newer:
                yield finding

    async def _push(self, engine: AsyncEngine, book: Logbook, now: datetime) -> AsyncIterator[Finding]:
        """Its tables are read one after another while it works: only what stays is a finding."""
        behind = [late async for late in self._behind(*QUEUED_BY, book.last["TOLD"])]
        for left in range(min(int(self._patience), MOST_LOOKS), -1, -1):
            checked = check_push(engine, self._bus, book, now, complete=not behind)
            if not (found := [finding async for finding in checked]):
                break
            await asyncio.sleep(min(left, 1))
        for finding in (*behind, *found):
            yield finding

    async def _cases(self, book: Logbook, now: datetime) -> AsyncIterator[Finding]:
        found, cases, again = list[Finding](), 0, await deciding(self._bus)
        async with Opened(self._databases.routing) as engine:
            model = ReadModel(engine) if engine else None
            if model is None:
                says = "the read model is not there; routing makes it when it starts"
                yield Finding("no-database", "", says)
            for given in book.cases():
                case, certain, later = self._case(given, book, now, again)
                cases, found = cases + 1, found + later
                for finding in certain:
                    yield finding
                if model and case and len(case.of("decided")) == 1:
                    found += [*await model.add(case), *_timed(case, book, now)]
            late = [one async for one in self._behind("NOTICES", "routing-notices", book.last["NOTICES"])]
            if model and engine:
                found += [*late, *await model.flush(), *await check_paged(engine, book, mails=not late)]
            totals = await model.totals() if model else []
        moving = await self._newer("CASES", book.last["CASES"], second_of)
        newer = moving | await self._newer("REPORTS", book.last["REPORTS"], report_of)
        newer |= await self._newer("NOTICES", book.last["NOTICES"], last_of)
        settled = [finding for finding in found if finding.subject not in newer]
        for finding in (*again.unknown(), *settled, *(() if moving else totals)):
            yield finding
        self.counts = _counts(book, cases, len(moving))

    def _case(
        self, given: Given, book: Logbook, now: datetime, again: Deciding
    ) -> tuple[Case | None, list[Finding], list[Finding]]:
        """What its events alone show, and what newer ones may explain; no case where they cannot be read."""
        try:
            case = case_of(*given)
            found = [*check_case(case), *check_answers(case), *check_links(case)]
            found += [*check_dues(case, now, self._off), *_anew(case, book, again)]
            later = [*check_told(case), *check_words(case), *check_names(case, book)]
            later += [*check_asked(case, book), *check_led_on(case, book, now)]
            later += [finding for finding in found if finding.kind == _NEWER_REPORT]
            return case, [f for f in found if f.kind != _NEWER_REPORT], later
        except BROKEN as broken:
            return None, [unreadable(given[0], broken)], []

    async def _newer(self, stream: str, last: int, names: Callable[[Stored], set[str]]) -> set[str]:
        """What a stream tells of after it was read, by its names: a database may be ahead of what was read."""
        start, newer = last + 1, set[str]()
        while page := await page_of(self._bus, stream, start):
            newer = newer.union(*map(names, page))
            start = page[-1].seq + 1
        return newer

    async def _behind(self, stream: str, durable: str, last: int) -> AsyncIterator[Finding]:
        """Wait until a durable has handled all that was read; say so if it does not.

        Asked twice, with patience: what the broker calls pending may lack what it stored just now.
        """
        idle = 0 if self._patience else 1
        for _ in range(int(self._patience / 0.1) + 1):
            info = await self._bus.js.consumer_info(stream, durable)
            floor = (info.ack_floor.stream_seq if info.ack_floor else 0) or 0
            idle = 0 if info.num_pending or info.num_ack_pending else idle + 1
            if floor >= last or idle == 2:
                return
            await asyncio.sleep(0.1)
        waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
        says = f"{waiting} messages wait to be handled by {durable}; what is missing below may be among them"
        yield Finding("behind", "", says)


def _timed(case: Case, book: Logbook, now: datetime) -> list[Finding]:
    try:
        return list(check_timers(case, book, now))
    except BROKEN as broken:
        return [unreadable(case.case_id, broken)]


def _anew(case: Case, book: Logbook, again: Deciding) -> Iterator[Finding]:
    return again.check(case, book) if len(case.of("decided")) == 1 else iter(())


def _counts(book: Logbook, cases: int, moving: int) -> Counts:
    events = book.db.execute("SELECT count(*) FROM events WHERE kind != 'told'").fetchone()[0]
    reports = book.db.execute("SELECT count(*) FROM reports").fetchone()[0]
    return Counts(reports, events, cases, moving)


TROUBLES = (NatsError, TimeoutError, SQLAlchemyError)
"""What a pass can end with besides BrokerAway."""
