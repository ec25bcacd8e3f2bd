"""Checks each row of the ledger by itself and against the log: its id is made of what it says, its reader, case and facts.

A letter that says another office, case or person than the id by which it is known once goes where nobody meant it to.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from services.cli.verify.due_checks import GRACE
from services.cli.verify.findings import BROKEN, Finding
from services.cli.verify.logbook import Logbook

COLUMNS = (
    "notice_id, case_id, report_id, step, audience, agency, office, reader, place, root, facts, state, attempts,"
    " doubts, deferrals, next_attempt_at, lease_until, gathered_in, ended_at, told, turn, message_id"
)
ALONE = ("DIGEST", "WEBHOOK")
"""Letters about no single case."""
_OPEN = ("PENDING", "SENDING", "UNKNOWN", "GATHERED")
_TOLD = ("SENT", "FAILED", "BOUNCED", "WITHHELD")
_STATES = {*_OPEN, *_TOLD, "SKIPPED", "SUPPRESSED"}
_LIMITS = 1_000_000
_NEXT = {
    "PENDING": "next_attempt_at",
    "UNKNOWN": "next_attempt_at",
    "SENDING": "lease_until",
    "GATHERED": "gathered_in",
}
"""What says of an open letter when or with what it goes on; without it nobody ever looks at it again."""


def check_row(row: Any, book: Logbook, now: datetime) -> Iterator[Finding]:
    """`row` has the COLUMNS."""
    try:
        found = [*_moving(row, now), *([] if row.step in ALONE else _named(row, book))]
    except BROKEN as broken:
        found = [f"holds what is none of ours ({type(broken).__name__})"]
    for says in found:
        yield Finding("notice-row", row.notice_id, says)


def id_of(cause: UUID, step: str, agency: str | None = None, office: str | None = None, *more: str) -> str:
    """The id of what one reader is told; of what nobody of ours wrote too, as an id that nothing has."""
    return str(uuid5(cause, "/".join(map(str, ("notice", step, agency or "-", office or "-", *more)))))


def alone(report_id: str) -> UUID:
    """What only the reporter of a report is told about."""
    return uuid5(UUID(report_id), "case")


def _moving(row: Any, now: datetime) -> Iterator[str]:
    if row.state not in _STATES:
        yield f"is in the state {row.state}, which there is not"
    if row.step not in ALONE and (row.ended_at is None) != (row.state in _OPEN):
        yield f"is {row.state}, and {'no' if row.ended_at is None else 'an'} end is noted"
    if row.state in _NEXT and getattr(row, _NEXT[row.state]) is None:
        yield f"is {row.state} without {_NEXT[row.state]}, so nobody looks at it again"
    late = row.ended_at is not None and datetime.fromisoformat(row.ended_at) + GRACE < now
    if row.state in _TOLD and late and not row.told and row.step not in ALONE:
        yield f"ended {row.state} at {row.ended_at}, and nobody was told"


def _named(row: Any, book: Logbook) -> Iterator[str]:
    facts = json.loads(row.facts) if isinstance(row.facts, str) else row.facts
    to_reporter = row.audience == "REPORTER"
    reader = f"REPORTER/{row.report_id}" if to_reporter else f"{row.agency}/{row.office or '-'}"
    if row.reader not in ("-", reader):  # an earlier release noted none
        yield f"is for {reader}, and goes to {row.reader}"
    if row.notice_id not in _ids(row, facts, to_reporter):
        yield f"has another id than a {row.step} to {reader} in the case {row.case_id}"
    places = {
        "RECEIVED": (0,),
        "ROUTED": (1,),
        "OFFERED": (1,),
        "REMINDER": (_LIMITS,),
        "OVERDUE": (_LIMITS,),
    }
    if row.place and row.place not in places.get(row.step, (row.place,)):
        yield f"has the place {row.place} in its thread"
    if row.step in ("RECEIVED", "OFFERED") and row.root != row.message_id:
        yield "opens the thread of its reader, and is in another"
    own = book.db.execute(
        "SELECT case_id, ticket, region FROM reports WHERE report_id = ?", (row.report_id,)
    ).fetchone()
    if own and (row.case_id, facts["ticket"], facts["region"]) != own:
        case_id, ticket, region = own
        says = f"tells of {facts['ticket']} in {facts['region']} and the case {row.case_id}"
        yield f"{says}, which are {ticket}, {region} and {case_id} of its report"
    opened = "SELECT json_extract(data, '$.report_id') FROM events WHERE case_id = ? AND kind = 'decided'"
    if not to_reporter and (found := book.db.execute(opened, (row.case_id,)).fetchone()) not in (
        None,
        (row.report_id,),
    ):
        yield f"is about the report {row.report_id}; its case was opened by {found[0]}"


def _ids(row: Any, facts: dict[str, Any], to_reporter: bool) -> set[str]:
    """One, or none that can be known: an earlier release noted no place, of which the number of a step is made."""
    cause = alone(row.report_id) if to_reporter else UUID(row.case_id)
    body = () if to_reporter else (row.agency, row.office)
    if to_reporter and (row.agency or row.office):
        return set()
    more: tuple[str, ...] = ()
    if row.step == "STEPPED":
        if not row.place:
            return {row.notice_id}
        more = (str(row.place - 1),)
    elif row.step in ("REMINDER", "OVERDUE"):
        more = (facts["last_day"],)
    return {id_of(cause, row.step, *(body or (None, None)), *more)}
