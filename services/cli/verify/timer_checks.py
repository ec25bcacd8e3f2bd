"""Checks that the broker holds a timer for each limit that runs; behind what it lost, routing looks by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.cli.verify.due_checks import GRACE
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case
from services.cli.verify.logbook import Logbook
from services.cli.verify.model_rows import timers


def check_timers(case: Case, book: Logbook, now: datetime) -> Iterator[Finding]:
    """Only limits that lie ahead: what is due fires, or has fired. One that fired by a clock ahead of ours is no loss."""
    for key, row in timers(case, case.versions[-1].persons).items():
        if row["fired"] or row["at"] < now + GRACE:
            continue
        ref, agency, last_day, level = key
        name = f"{case.case_id}.{ref}.{agency}.{last_day}.{level}"
        schedule, wanted = _held(book, f"timer.{name}"), _when(row["at"])
        if schedule != wanted and not _there(book, f"due.{name}"):
            says = f"the {level} of {agency} about {ref} until {last_day} has "
            says += f"a timer for {schedule}, not for {wanted}" if schedule else "no timer on the broker"
            yield Finding("wrong-timer" if schedule else "no-timer", case.case_id, says)


def _held(book: Logbook, subject: str) -> str | None:
    row = book.db.execute("SELECT schedule FROM timers WHERE subject = ?", (subject,)).fetchone()
    return row and str(row[0] or "").removeprefix("@at ")


def _there(book: Logbook, subject: str) -> bool:
    return book.db.execute("SELECT 1 FROM timers WHERE subject = ?", (subject,)).fetchone() is not None


def _when(at: datetime) -> str:
    """The next whole second; what lies ahead of us never lies before 1970, where the broker begins to count."""
    at = at.astimezone(UTC)
    at = at.replace(microsecond=0) + timedelta(seconds=1) if at.microsecond else at
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
