"""Compares what the read model keeps of near matches, their answers and mails with the log, in pages."""

from collections.abc import Iterator
from json import dumps, loads
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.cli.verify.digests import digest
from services.cli.verify.findings import BROKEN, Finding
from services.cli.verify.logbook import NOTICED, Logbook
from services.cli.verify.model_rows import instant

PAGE = 500
_KEYS = {
    "matches": ("match_id", "report_id"),
    "match_answers": ("match_id", "number"),
    "notices": ("notice_id", "case_id"),
}
_NAMES = {"matches": "match", "match_answers": "answer", "notices": "notice"}
_TABLES = """
CREATE TEMP TABLE kept (kind, one, other, subject, says);
CREATE TEMP TABLE told (kind, one, other, subject, says);
INSERT INTO told SELECT 'matches', match_id, report_id, report_id,
    json_array(case_id, ticket, other_report, other_case, other_ticket, mark) FROM
    (SELECT *, min(rowid) FROM resembles WHERE case_id <> other_case GROUP BY match_id, report_id);
INSERT INTO told SELECT 'match_answers', json_extract(data, '$.match_id'), json_extract(data, '$.number'), case_id,
    json_array(json_extract(data, '$.answer'), at, digest) FROM events WHERE kind = 'match';
INSERT INTO told SELECT 'notices', ending, case_id, ending, json_array(mark) FROM endings;
CREATE INDEX temp.kept_key ON kept (kind, one, other); CREATE INDEX temp.told_key ON told (kind, one, other);
"""
_MISSING = """SELECT one, other, subject FROM {these} WHERE kind = ? AND (one, other) IN
    (SELECT one, other FROM {these} WHERE kind = ? EXCEPT SELECT one, other FROM {those} WHERE kind = ?)"""
_OTHERWISE = """SELECT told.one, told.other, told.subject, kept.says, told.says
    FROM told JOIN kept USING (kind, one, other) WHERE kind = ? AND told.says <> kept.says"""


async def check_paged(engine: AsyncEngine, book: Logbook, *, mails: bool) -> list[Finding]:
    """Everything that was told is kept as it was told, and nothing else is; `mails`: all that was read of them came."""
    book.db.executescript(_TABLES)
    async with engine.connect() as connection:
        for table in _KEYS:
            await _copy(connection, book, table)
    return [finding for table in _KEYS for finding in _differing(book, table, mails or table != "notices")]


async def _copy(connection: AsyncConnection, book: Logbook, table: str) -> None:
    """A page after the other; of each row what it says, as text."""
    key, (one, other) = ", ".join(_KEYS[table]), ("", 0 if table == "match_answers" else "")
    query = text(
        f"SELECT * FROM {table} WHERE ({key}) > (:one, :other) ORDER BY {key} LIMIT :most"  # noqa: S608 - names of ours
    )
    while rows := (await connection.execute(query, {"one": one, "other": other, "most": PAGE})).all():
        kept = [(table, *_said(table, dict(row._mapping))) for row in rows]
        book.db.executemany("INSERT INTO kept VALUES (?, ?, ?, ?, ?)", kept)
        one, other = kept[-1][1:3]


def _said(table: str, row: dict[str, Any]) -> tuple[Any, Any, str, str]:
    """Its key, the case, report or mail it is about, and all else of it."""
    one, other = (row[name] for name in _KEYS[table])
    if table == "matches":
        why = digest([_iso(row["at"]), row["score"], _json(row["reasons"])])
        sides = (row[n] for n in ("case_id", "ticket", "other_report", "other_case", "other_ticket"))
        return one, other, other, _array(*sides, why)
    if table == "notices":
        return one, other, one, _array(digest([_iso(row["at"]), *(row[name] for name in NOTICED)]))
    event = _json(row["event"])
    try:
        case_id = str(event["data"]["case_id"])
    except BROKEN:
        case_id = ""
    return one, other, case_id, _array(row["answer"], _iso(row["at"]), digest(event))


def _differing(book: Logbook, table: str, complete: bool) -> Iterator[Finding]:
    kind, words = f"model-{_NAMES[table]}", " ".join(_KEYS[table])
    sides = [("kept", "told", "the log"), *([("told", "kept", "the read model")] if complete else [])]
    for these, those, where in sides:
        missing = book.db.execute(_MISSING.format(these=these, those=those), (table,) * 3)
        for one, other, subject in missing:
            yield Finding(kind, subject, f"{words} {one} {other}: is not in {where}")
    for one, other, subject, there, wanted in book.db.execute(_OTHERWISE, (table,)):
        says = f"{words} {one} {other}: the read model says {there}, the log {wanted}"
        yield Finding(kind, subject, says)


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
