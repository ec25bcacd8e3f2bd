"""Compares the ledger of mails with the log: all that must be mailed is there, once, and ended as was told."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.cli.verify.findings import Finding
from services.cli.verify.logbook import Logbook
from services.cli.verify.mail_checks import ALONE, COLUMNS, alone, check_row, id_of

DURABLES = (
    ("REPORTS", "notifications-received"),
    ("CASES", "notifications-decided"),
    ("CASES", "notifications-linked"),
    ("CASES", "notifications-offered"),
    ("CASES", "notifications-due"),
)
"""What writes the notices that `check_ledger` wants."""
PAGE = 1000
_ROWS = text(f"SELECT {COLUMNS} FROM notices WHERE notice_id > :last ORDER BY notice_id LIMIT :most")  # noqa: S608
_LEDGER = f"CREATE TEMP TABLE ledger ({COLUMNS}, PRIMARY KEY (notice_id))"
_KEPT = f"INSERT INTO ledger VALUES ({', '.join('?' * len(COLUMNS.split(',')))})"  # noqa: S608 - marks only
_UNGATHERED = text("""SELECT notice_id, gathered_in FROM notices AS part WHERE state = 'GATHERED' AND NOT EXISTS
    (SELECT 1 FROM notices AS whole WHERE whole.notice_id = part.gathered_in AND whole.step = 'DIGEST')""")
_UNTOLD = str(ALONE)
"""They are told to nobody, and count as told."""
_TWICE = "SELECT notice_id, count(*) FROM notices GROUP BY notice_id HAVING count(*) > 1"
_STRAY = "SELECT DISTINCT notice_id FROM notices WHERE notice_id NOT IN (SELECT notice_id FROM ledger)"
_OTHERWISE = f"""SELECT notice_id, state, outcome FROM ledger LEFT JOIN notices USING (notice_id)
    WHERE told = 1 AND ledger.step NOT IN {_UNTOLD} AND outcome IS NOT state"""  # noqa: S608 - words of ours
_SAYS = ("step", "audience", "agency", "office", "attempts", "turn")
"""What ledger and stream both say of a mail, besides when it ended."""
_MAILED = f"""SELECT notice_id, ended_at, at, {", ".join(f"ledger.{name}, notices.{name}" for name in _SAYS)}
    FROM ledger JOIN notices USING (notice_id) WHERE told = 1"""  # noqa: S608 - words of ours
_AGAIN = f"""SELECT notice_id, state, outcome FROM ledger JOIN notices USING (notice_id)
    WHERE told = 0 AND ledger.turn <= notices.turn AND ledger.step NOT IN {_UNTOLD} AND state IS NOT outcome"""  # noqa: S608
_THREADS = f"""SELECT min(notice_id), reader, case_id, count(DISTINCT root) FROM ledger
    WHERE reader <> '-' AND step NOT IN {_UNTOLD} GROUP BY reader, case_id HAVING count(DISTINCT root) > 1"""  # noqa: S608
_ALIKE = """SELECT min(notice_id), max(notice_id), count(*) FROM ledger
    GROUP BY message_id HAVING count(*) > 1"""
_TRIES = """SELECT notice_id, state, attempts, doubts, deferrals FROM ledger WHERE doubts + deferrals > attempts
    OR (state = 'UNKNOWN' AND doubts = 0) OR (state = 'SENDING' AND attempts = 0)"""


async def check_ledger(
    engine: AsyncEngine, book: Logbook, now: datetime, *, complete: bool
) -> AsyncIterator[Finding]:
    """Each mail ended once, as was told; none is tried in secret. `complete`: all that was read must be in the ledger.

    A mail may be tried again for other reasons than an unknown outcome (a server that is away, or that says `later`), so
    tries are only bounded from below: each doubt and each deferral is the end of one.
    """
    book.db.execute(_LEDGER)
    async with engine.connect() as connection:
        last = ""
        while rows := (await connection.execute(_ROWS, {"last": last, "most": PAGE})).all():
            for row in rows:
                kept = [json.dumps(value) if isinstance(value, dict) else value for value in row]
                book.db.execute(_KEPT, kept)
                for finding in check_row(row, book, now):
                    yield finding
            last = rows[-1].notice_id
        for notice_id, whole in (await connection.execute(_UNGATHERED)).all():
            yield Finding(
                "notice-row", notice_id, f"waits for the digest {whole}, which is not in the ledger"
            )
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
    for notice_id, state, outcome in book.db.execute(_AGAIN):
        says = f"is {state} by the ledger and not told; by the stream it was {outcome} already"
        yield Finding("notice-outcome", notice_id, says)
    for notice_id, ended, at, *pairs in book.db.execute(_MAILED):
        differing = [n for n, one, other in zip(_SAYS, pairs[::2], pairs[1::2], strict=True) if one != other]
        differing += (
            ["end"] if not ended or datetime.fromisoformat(ended) != datetime.fromisoformat(at) else []
        )
        if differing:
            says = f"has another {', '.join(differing)} by the ledger than by the stream"
            yield Finding("notice-otherwise", notice_id, says)


def _rows(book: Logbook) -> Iterator[Finding]:
    for one, other, count in book.db.execute(_ALIKE):
        says = f"has the Message-ID of {other}; {count} mails have it, and a reader shows one of them"
        yield Finding("message-id-twice", one, says)
    for one, reader, case_id, count in book.db.execute(_THREADS):
        yield Finding(
            "notice-row", one, f"is to {reader} of the case {case_id}, whose mails are in {count} threads"
        )
    for notice_id, state, attempts, doubts, deferrals in book.db.execute(_TRIES):
        says = f"is {state} after {attempts} tries, {doubts} of unknown outcome and {deferrals} put off"
        yield Finding("notice-tries", notice_id, says)


def _missing(book: Logbook) -> Iterator[Finding]:
    for notice_id, subject, says in _wanted(book):
        if not book.db.execute("SELECT 1 FROM ledger WHERE notice_id = ?", (notice_id,)).fetchone():
            yield Finding("notice-missing", subject, f"{says} (mail {notice_id})")


def _wanted(book: Logbook) -> Iterator[tuple[str, str, str]]:
    """The mails that are always written: to a reporter of receipt and of who holds the case, to an office of an offer
    and of a limit that is near or over."""
    for (report_id,) in book.db.execute("SELECT report_id FROM reports"):
        says = "no mail says to its reporter that it was received"
        yield id_of(alone(report_id), "RECEIVED"), report_id, says
    for (data,) in book.db.execute("SELECT data FROM events WHERE kind = 'reports'"):
        report_id = json.loads(data)["report_id"]
        yield id_of(alone(report_id), "ROUTED"), report_id, "no mail says to its reporter who holds the case"
    for (data,) in book.db.execute("SELECT data FROM events WHERE kind = 'offered'"):
        offer = json.loads(data)
        case_id = offer["case_id"]
        number, agency = offer.get("step", 0), offer["agency"]
        step, more = ("STEPPED", (str(number),)) if number else ("OFFERED", ())
        for office in {part["office"] for part in offer["assignments"] if _holds(part)}:
            says = f"no mail tells {agency} {office or '-'} of the offer at step {number}"
            yield id_of(UUID(case_id), step, agency, office, *more), case_id, says
    for (data,) in book.db.execute("SELECT data FROM events WHERE kind = 'due'"):
        due = json.loads(data)
        case_id, level, body = due["case_id"], due["level"], (due["agency"], due["office"])
        says = f"no mail tells {body[0]} {body[1] or '-'} of its limit until {due['last_day']}: {level}"
        yield id_of(UUID(case_id), level, *body, due["last_day"]), case_id, says


def _holds(part: dict[str, Any]) -> bool:
    return bool(part["when"] == "OPENED" if part["active"] is None else part["active"])
