"""Compares what the read model keeps of near matches and of their answers with the log, in pages."""

from collections.abc import Iterator
from json import dumps, loads
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.cli.verify.digests import digest
from services.cli.verify.findings import BROKEN, Finding
from services.cli.verify.logbook import Logbook
from services.cli.verify.model_rows import instant

PAGE = 500
_MATCHES = text(
    "SELECT match_id, report_id, case_id, ticket, other_report, other_case, other_ticket, score, reasons, at"
    " FROM matches WHERE (match_id, report_id) > (:first, :second) ORDER BY match_id, report_id LIMIT :most"
)
_ANSWERS = text(
    "SELECT match_id, number, answer, at, event FROM match_answers"
    " WHERE (match_id, number) > (:first, :second) ORDER BY match_id, number LIMIT :most"
)
_TABLES = """
CREATE TEMP TABLE kept_matches (match_id, second, subject, says);
CREATE TEMP TABLE kept_answers (match_id, second, subject, says);
CREATE TEMP TABLE told_matches (match_id, second, subject, says);
CREATE TEMP TABLE told_answers (match_id, second, subject, says);
INSERT INTO told_matches SELECT match_id, report_id, report_id,
    json_array(case_id, ticket, other_report, other_case, other_ticket, mark) FROM
    (SELECT *, min(rowid) FROM resembles WHERE case_id <> other_case GROUP BY match_id, report_id);
INSERT INTO told_answers SELECT json_extract(data, '$.match_id'), json_extract(data, '$.number'), case_id,
    json_array(json_extract(data, '$.answer'), at, digest) FROM events WHERE kind = 'match';
"""
_KINDS = {"matches": "model-match", "answers": "model-answer"}


async def check_pairs(engine: AsyncEngine, book: Logbook) -> list[Finding]:
    """Every pair and every answer that was told is kept as it was told, and nothing else is."""
    book.db.executescript(_TABLES)
    async with engine.connect() as connection:
        await _copy(connection, book, _MATCHES, "matches", "")
        await _copy(connection, book, _ANSWERS, "answers", 0)
    return [finding for table in _KINDS for finding in _differing(book, table)]


async def _copy(
    connection: AsyncConnection, book: Logbook, query: TextClause, table: str, second: str | int
) -> None:
    """A page after the other; the rows become what they say, as text."""
    first = ""
    said = _match if table == "matches" else _answer
    while rows := (await connection.execute(query, {"first": first, "second": second, "most": PAGE})).all():
        book.db.executemany(f"INSERT INTO kept_{table} VALUES (?, ?, ?, ?)", map(said, rows))  # noqa: S608
        first, second = rows[-1][0], rows[-1][1]


def _match(row: Any) -> tuple[Any, ...]:
    why = digest([_iso(row.at), row.score, _json(row.reasons)])
    sides = row.case_id, row.ticket, row.other_report, row.other_case, row.other_ticket
    return row.match_id, row.report_id, row.report_id, _array(*sides, why)


def _answer(row: Any) -> tuple[Any, ...]:
    event = _json(row.event)
    try:
        case_id = str(event["data"]["case_id"])
    except BROKEN:
        case_id = ""
    return row.match_id, row.number, case_id, _array(row.answer, _iso(row.at), digest(event))


def _differing(book: Logbook, table: str) -> Iterator[Finding]:
    kept, told = f"kept_{table}", f"told_{table}"
    for one, other, where in ((told, kept, "the read model"), (kept, told, "the log")):
        missing = f"""SELECT match_id, second, subject FROM {one} WHERE (match_id, second) IN
            (SELECT match_id, second FROM {one} EXCEPT SELECT match_id, second FROM {other})"""  # noqa: S608 - names of ours
        for match_id, second, subject in book.db.execute(missing):
            yield Finding(_KINDS[table], subject, f"the pair {match_id} ({second}) is not in {where}")
    otherwise = f"""SELECT {told}.match_id, {told}.second, {told}.subject, {kept}.says, {told}.says
        FROM {told} JOIN {kept} USING (match_id, second) WHERE {told}.says <> {kept}.says"""  # noqa: S608
    for match_id, second, subject, there, wanted in book.db.execute(otherwise):
        says = f"the pair {match_id} ({second}): the read model says {there}, the log {wanted}"
        yield Finding(_KINDS[table], subject, says)


def _array(*words: Any) -> str:
    """As SQLite's json_array writes it."""
    return dumps(words, separators=(",", ":"), ensure_ascii=False)


def _iso(at: Any) -> str:
    found = instant(at)
    return found.isoformat() if found else ""


def _json(words: str) -> Any:
    try:
        return loads(words)
    except ValueError:
        return words
