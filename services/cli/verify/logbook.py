"""Copies what matters of the streams into a scratch database, so that memory stays small however long they are."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from services.runtime.bus import Bus
from services.runtime.reading import Stored, page_of

PAGE = 1000
APART = timedelta(hours=2)
"""Between what an event says of its time and when the broker got it; what lies further apart was told again since."""
_TABLES = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
CREATE TABLE reports (report_id TEXT, case_id TEXT, known TEXT, reported TEXT, region TEXT);
CREATE TABLE events (case_id TEXT, seq INTEGER, kind TEXT, subject TEXT, at TEXT, data TEXT, stamp TEXT);
CREATE TABLE notices (notice_id TEXT, case_id TEXT, outcome TEXT);
CREATE TABLE timers (subject TEXT PRIMARY KEY, schedule TEXT);
"""
_INDEXES = """
CREATE INDEX reports_case ON reports (case_id); CREATE INDEX reports_id ON reports (report_id);
CREATE INDEX events_case ON events (case_id, seq); CREATE INDEX notices_id ON notices (notice_id);
"""
_PART = ("agency", "office", "role", "when", "rule", "active", "deadline")


class Fact(NamedTuple):
    """One event of a case; `kind` is the third word of its subject, or `told` for what an agency was told."""

    seq: int
    kind: str
    subject: str
    at: datetime
    data: dict[str, Any]
    stamp: datetime | None = None
    """When the broker got it, by its own clock."""

    @property
    def happened(self) -> datetime:
        """`at`, or the broker's word where a clock of ours seems to have been wrong by an hour."""
        return self.stamp if self.stamp and abs(self.stamp - self.at) < APART else self.at


class ReportFact(NamedTuple):
    """An accepted report; days are ISO text."""

    report_id: str
    case_id: str
    known: str
    reported: str
    region: str


class Logbook:
    """The scratch database, and up to which message each stream was read."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path)
        self.db.executescript(_TABLES)
        self.last: dict[str, int] = {}
        self.unreadable: list[str] = []

    async def reports(self, bus: Bus) -> None:
        """Copy the accepted reports as they are now. Raises BrokerAway and NATS errors."""
        await self._copy(bus, "REPORTS")

    async def rest(self, bus: Bus) -> None:
        """Copy cases, notices and timers as they are now: read after the reports were handled. Raises as `reports`."""
        await self._copy(bus, "CASES")
        await self._copy(bus, "NOTICES")
        async for stored in _messages(bus, "TIMERS", await _last(bus, "TIMERS"), "timer.>"):
            timer = (stored.subject, stored.headers.get("Nats-Schedule"))
            self.db.execute("INSERT OR REPLACE INTO timers VALUES (?, ?)", timer)
        self.db.executescript(_INDEXES)
        self.db.commit()

    async def told(self, bus: Bus) -> None:
        """Copy what the agencies were told as it is now: read after the cases were handled. Raises as `reports`."""
        await self._copy(bus, "TOLD")
        self.db.commit()

    async def _copy(self, bus: Bus, stream: str) -> None:
        self.last[stream] = await _last(bus, stream)
        async for stored in _messages(bus, stream, self.last[stream]):
            self._keep(stream, stored)

    def cases(self) -> Iterator[tuple[str, list[Fact], list[ReportFact]]]:
        """Every case that an event or an accepted report names, in the order of ids, with its events in order."""
        ids = self.db.execute(
            "SELECT case_id FROM events WHERE kind != 'told' UNION SELECT case_id FROM reports ORDER BY 1"
        )
        for (case_id,) in ids:
            rows = self.db.execute(
                "SELECT seq, kind, subject, at, data, stamp FROM events WHERE case_id = ? ORDER BY seq",
                (case_id,),
            )
            facts = [
                Fact(seq, kind, name, _instant(at), json.loads(data), _instant(stamp))
                for seq, kind, name, at, data, stamp in rows
            ]
            reports = self.db.execute("SELECT * FROM reports WHERE case_id = ?", (case_id,))
            yield case_id, facts, [ReportFact(*row) for row in reports]

    def close(self) -> None:
        self.db.close()

    def _keep(self, stream: str, stored: Stored) -> None:
        seq, subject = stored.seq, stored.subject
        words = subject.split(".")
        if stream == "REPORTS" and words[-1] != "accepted":
            return
        try:
            event = json.loads(stored.body)
            data = event["data"]
            if stream == "REPORTS":
                facts = data["facts"]
                row = (
                    data["report_id"],
                    data["case_id"],
                    facts["known_on"],
                    facts["reported_on"],
                    facts["region"],
                )
                self.db.execute("INSERT INTO reports VALUES (?, ?, ?, ?, ?)", row)
            elif stream == "NOTICES":
                notice = (data["notice_id"], words[1], data["outcome"])
                later = "UPDATE notices SET outcome = ? WHERE notice_id = ?"
                # a later ending of the same mail: a bounce, or another try of a person
                if not (data.get("turn") and self.db.execute(later, (notice[2], notice[0])).rowcount):
                    self.db.execute("INSERT INTO notices VALUES (?, ?, ?)", notice)
            else:
                case_id, kind = (words[3], "told") if stream == "TOLD" else (words[1], words[2])
                kept_data = _told(data, words[4]) if stream == "TOLD" else slim(data)
                at, stamp = event["time"], stored.headers["Nats-Time-Stamp"]
                kept = (case_id, seq, kind, subject, at, json.dumps(kept_data), stamp)
                self.db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", kept)
        except (ValueError, KeyError, TypeError, IndexError):
            self.unreadable.append(f"{stream} {seq} ({subject})")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def slim(data: dict[str, Any]) -> dict[str, Any]:
    """Without the words a check does not need."""
    slim = dict(data)
    if decision := data.get("decision"):
        persons = [
            {"ref": person["ref"], "assignments": _parts(person["assignments"])}
            for person in decision["persons"]
        ]
        slim["decision"] = {"handled_on": decision["handled_on"], "persons": persons}
    matters = data.get("persons")
    if isinstance(matters, list) and all(isinstance(one, dict) for one in matters):
        slim["persons"] = [{**person, "parts": _parts(person["parts"])} for person in matters]
    if "assignments" in data:
        slim["assignments"] = _parts(data["assignments"])
    return slim


def _told(data: dict[str, Any], kind: str) -> dict[str, Any]:
    """Whom an event for an agency tells of whom, and of what: a step by its number, a limit by its day and level."""
    about = [data["person"]] if kind == "due" else [p["ref"] for p in data["persons"]] + data.get("ended", [])
    what = f"{data['last_day']} {data['level']}" if kind == "due" else str(data["number"])
    return {"agency": data["agency"], "office": data["office"], "kind": kind, "what": what, "about": about}


def _parts(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: part.get(name) for name in _PART} for part in parts]


async def _last(bus: Bus, stream: str) -> int:
    return int((await bus.js.stream_info(stream)).state.last_seq)


async def _messages(bus: Bus, stream: str, last: int, subjects: str = ">") -> AsyncIterator[Stored]:
    """Each message up to the sequence `last`."""
    start = 1
    while start <= last:
        page = await page_of(bus, stream, start, subjects=subjects, most=PAGE)
        for stored in page:
            if stored.seq <= last:
                yield stored
        if not page:
            return
        start = page[-1].seq + 1
