"""Compares the ledger of mails with the log: all that must be mailed is there, once, and ended as was told."""

import json
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.verify.findings import Finding
from services.cli.verify.logbook import Logbook

DURABLES = (
    ("REPORTS", "notifications-received"),
    ("CASES", "notifications-decided"),
    ("CASES", "notifications-linked"),
    ("CASES", "notifications-offered"),
)
"""What writes the notices that `check_ledger` wants."""
PAGE = 1000
_ROWS = text(
    "SELECT notice_id, step, state, attempts, doubts, deferrals, told, message_id FROM notices"
    " WHERE notice_id > :last ORDER BY notice_id LIMIT :most"
)
_LEDGER = """CREATE TEMP TABLE ledger (notice_id TEXT PRIMARY KEY, step TEXT, state TEXT, attempts INTEGER,
    doubts INTEGER, deferrals INTEGER, told INTEGER, message_id TEXT)"""
_UNTOLD = "('DIGEST', 'WEBHOOK')"
"""Letters about no single case are told to nobody, and count as told."""
_TWICE = "SELECT notice_id, count(*) FROM notices GROUP BY notice_id HAVING count(*) > 1"
_STRAY = "SELECT DISTINCT notice_id FROM notices WHERE notice_id NOT IN (SELECT notice_id FROM ledger)"
_OTHERWISE = f"""SELECT notice_id, state, outcome FROM ledger LEFT JOIN notices USING (notice_id)
    WHERE told = 1 AND step NOT IN {_UNTOLD} AND outcome IS NOT state"""  # noqa: S608 - words of ours
_ALIKE = """SELECT min(notice_id), max(notice_id), count(*) FROM ledger
    GROUP BY message_id HAVING count(*) > 1"""
_TRIES = """SELECT notice_id, state, attempts, doubts, deferrals FROM ledger WHERE doubts + deferrals > attempts
    OR (state = 'UNKNOWN' AND doubts = 0) OR (state = 'SENDING' AND attempts = 0)"""


async def check_ledger(engine: AsyncEngine, book: Logbook, *, complete: bool) -> AsyncIterator[Finding]:
    """Each mail ended once, as was told; none is tried in secret. `complete`: all that was read must be in the ledger.

    A mail may be tried again for other reasons than an unknown outcome (a server that is away, or that says `later`), so
    tries are only bounded from below: each doubt and each deferral is the end of one.
    """
    book.db.execute(_LEDGER)
    async with engine.connect() as connection:
        last = ""
        while rows := (await connection.execute(_ROWS, {"last": last, "most": PAGE})).all():
            book.db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(tuple, rows))
            last = rows[-1].notice_id
    for finding in chain(_told(book), _rows(book), _missing(book) if complete else ()):
        yield finding


def _told(book: Logbook) -> Iterator[Finding]:
    for notice_id, count in book.db.execute(_TWICE):
        yield Finding("notice-twice", notice_id, f"was told {count} times")
    for (notice_id,) in book.db.execute(_STRAY):
        yield Finding("notice-stray", notice_id, "was told but is not in the ledger")
    for notice_id, state, outcome in book.db.execute(_OTHERWISE):
        says = f"ended {state} by the ledger, {outcome} by the stream"
        yield Finding("notice-outcome", notice_id, says)


def _rows(book: Logbook) -> Iterator[Finding]:
    for one, other, count in book.db.execute(_ALIKE):
        says = f"has the Message-ID of {other}; {count} mails have it, and a reader shows one of them"
        yield Finding("message-id-twice", one, says)
    for notice_id, state, attempts, doubts, deferrals in book.db.execute(_TRIES):
        says = f"is {state} after {attempts} tries, {doubts} of unknown outcome and {deferrals} put off"
        yield Finding("notice-tries", notice_id, says)


def _missing(book: Logbook) -> Iterator[Finding]:
    for notice_id, subject, says in _wanted(book):
        if not book.db.execute("SELECT 1 FROM ledger WHERE notice_id = ?", (notice_id,)).fetchone():
            yield Finding("notice-missing", subject, f"{says} (mail {notice_id})")


def _wanted(book: Logbook) -> Iterator[tuple[str, str, str]]:
    """The mails that are always written: to a reporter of receipt and of who holds the case, to an office of an offer."""
    for (report_id,) in book.db.execute("SELECT report_id FROM reports"):
        says = "no mail says to its reporter that it was received"
        yield _id(_alone(report_id), "RECEIVED"), report_id, says
    for (data,) in book.db.execute("SELECT data FROM events WHERE kind = 'reports'"):
        report_id = json.loads(data)["report_id"]
        yield _id(_alone(report_id), "ROUTED"), report_id, "no mail says to its reporter who holds the case"
    for (data,) in book.db.execute("SELECT data FROM events WHERE kind = 'offered'"):
        offer = json.loads(data)
        case_id = offer["case_id"]
        number, agency = offer.get("step", 0), offer["agency"]
        step, more = ("STEPPED", (str(number),)) if number else ("OFFERED", ())
        for office in {part["office"] for part in offer["assignments"] if _holds(part)}:
            says = f"no mail tells {agency} {office or '-'} of the offer at step {number}"
            yield _id(UUID(case_id), step, agency, office, *more), case_id, says


def _holds(part: dict[str, Any]) -> bool:
    return bool(part["when"] == "OPENED" if part["active"] is None else part["active"])


def _alone(report_id: str) -> UUID:
    return uuid5(UUID(report_id), "case")


def _id(cause: UUID, step: str, agency: str | None = None, office: str | None = None, *more: str) -> str:
    return str(uuid5(cause, "/".join(("notice", step, agency or "-", office or "-", *more))))
