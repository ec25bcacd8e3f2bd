"""Copies what matters of the streams into a scratch database, so that memory stays small however long they are."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from services.cli.verify.digests import digest
from services.cli.verify.findings import BROKEN, Finding
from services.cli.verify.single import looked_at, none_of_ours
from services.cli.verify.slimming import slim, told
from services.runtime.bus import Bus
from services.runtime.reading import Stored, page_of

PAGE = 1000
APART = timedelta(hours=2)
"""Between what an event says of its time and when the broker got it; what lies further apart was told again since."""
_TABLES = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
CREATE TABLE reports (report_id TEXT, case_id TEXT, known TEXT, reported TEXT, region TEXT, ticket TEXT, facts TEXT,
    digest TEXT, stamp TEXT, at TEXT);
CREATE TABLE resembles (match_id TEXT, report_id TEXT, case_id TEXT, ticket TEXT, other_report TEXT, other_case TEXT,
    other_ticket TEXT, mark TEXT);
CREATE TABLE events (case_id TEXT, seq INTEGER, kind TEXT, subject TEXT, at TEXT, data TEXT, stamp TEXT, digest TEXT);
CREATE TABLE notices (notice_id TEXT, case_id TEXT, outcome TEXT, step TEXT, audience TEXT, agency TEXT, office TEXT,
    attempts INTEGER, turn INTEGER, at TEXT);
CREATE TABLE endings (ending TEXT, case_id TEXT, mark TEXT);
CREATE TABLE timers (subject TEXT PRIMARY KEY, schedule TEXT);
"""
_INDEXES = """
CREATE INDEX reports_case ON reports (case_id); CREATE INDEX reports_id ON reports (report_id);
CREATE INDEX resembles_match ON resembles (match_id, report_id);
CREATE INDEX events_case ON events (case_id, seq); CREATE INDEX notices_id ON notices (notice_id);
"""
_OF_CASE = "SELECT report_id, case_id, known, reported, region FROM reports WHERE case_id = ?"
_NETRAL = UUID("6f1d1f52-6a0e-5c5b-9a53-7d4b1c6f2e10")

NOTICED = ("step", "audience", "agency", "office", "outcome", "attempts")
"""What is told of a mail."""


class Fact(NamedTuple):
    """One event of a case; `kind` is the third word of its subject, or `told` for what an agency was told."""

    seq: int
    kind: str
    subject: str
    at: datetime
    data: dict[str, Any]
    stamp: datetime | None = None
    """When the broker got it, by its own clock."""
    digest: str = ""
    """Of the whole event, of which `data` is what the checks need."""

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


class Unread(Exception):
    """A server that cannot open its own files, or a copy that is behind, calls a stream ended before its end."""


class Logbook:
    """The scratch database, and up to which message each stream was read."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path)
        self.db.executescript(_TABLES)
        self.last: dict[str, int] = {}
        self.odd: list[Finding] = []
        """What single messages show."""

    async def reports(self, bus: Bus) -> None:
        """Copy the accepted reports as they are now. Raises Unread, BrokerAway and NATS errors."""
        await self._copy(bus, "REPORTS")

    async def rest(self, bus: Bus) -> None:
        """Copy cases and notices as they are now: read after the reports were handled. Raises as `reports`."""
        await self._copy(bus, "CASES")
        await self._copy(bus, "NOTICES")
        self.db.executescript(_INDEXES)
        self.db.commit()

    async def timers(self, bus: Bus) -> None:
        """Copy the timers, and which fired, as they are now: read after the cases were handled. Raises as `reports`."""
        async for stored in messages(bus, "TIMERS", await last_seq(bus, "TIMERS")):
            timer = (stored.subject, stored.headers.get("Nats-Schedule"))
            self.db.execute("INSERT OR REPLACE INTO timers VALUES (?, ?)", timer)
        self.db.commit()

    async def told(self, bus: Bus) -> None:
        """Copy what the agencies were told as it is now: read after the cases were handled. Raises as `reports`."""
        await self._copy(bus, "TOLD")
        self.db.commit()

    async def _copy(self, bus: Bus, stream: str) -> None:
        state = (await bus.js.stream_info(stream)).state
        self.last[stream], read = int(state.last_seq), 0
        async for stored in messages(bus, stream, self.last[stream]):
            self._keep(stream, stored)
            read += 1
        if read < state.messages:
            raise Unread(f"the broker has {state.messages} messages of {stream} and gave {read} of them")

    def cases(self) -> Iterator[tuple[str, list[Fact], list[ReportFact]]]:
        """Every case that an event or an accepted report names, in the order of ids, with its events in order."""
        ids = self.db.execute(
            "SELECT case_id FROM events WHERE kind != 'told' UNION SELECT case_id FROM reports ORDER BY 1"
        )
        for (case_id,) in ids:
            rows = self.db.execute(
                "SELECT seq, kind, subject, at, data, stamp, digest FROM events WHERE case_id = ? ORDER BY seq",
                (case_id,),
            )
            facts = [
                Fact(seq, kind, name, _instant(at), json.loads(data), _instant(stamp), mark)
                for seq, kind, name, at, data, stamp, mark in rows
            ]
            reports = self.db.execute(_OF_CASE, (case_id,))
            yield case_id, facts, [ReportFact(*row) for row in reports]

    def close(self) -> None:
        self.db.close()

    def _keep(self, stream: str, stored: Stored) -> None:
        event, odd = looked_at(stream, stored)
        self.odd += odd
        if event is None:
            return
        try:
            if stream == "REPORTS":
                self._keep_report(stored, event)
            elif stream == "NOTICES":
                self._keep_notice(stored, event)
            else:
                self._keep_event(stream, stored, event)
        except BROKEN:
            self.odd.append(none_of_ours(stream, stored))

    def _keep_report(self, stored: Stored, event: dict[str, Any]) -> None:
        data = event["data"]
        if not stored.subject.endswith(".accepted"):
            self.db.executemany("INSERT INTO resembles VALUES (?, ?, ?, ?, ?, ?, ?, ?)", alike(event))
            return
        facts = data["facts"]
        days = facts["known_on"], facts["reported_on"], facts["region"]
        marks = data["ticket"], json.dumps(facts), digest(event), stored.headers["Nats-Time-Stamp"]
        row = (data["report_id"], data["case_id"], *days, *marks, _instant(event["time"]).isoformat())
        self.db.execute("INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _keep_notice(self, stored: Stored, event: dict[str, Any]) -> None:
        data, (_, case_id, ending) = event["data"], stored.subject.split(".")
        at = _instant(event["time"]).isoformat()
        notice = {"notice_id": data["notice_id"], "case_id": case_id, "turn": 0, "at": at}
        notice |= {name: data.get(name) for name in (*NOTICED, "turn") if name in data}
        mark = digest([at, *(data.get(name) for name in NOTICED)])
        self.db.execute("INSERT INTO endings VALUES (?, ?, ?)", (ending, case_id, mark))
        values = ", ".join(f"{name} = :{name}" for name in notice)
        later = f"UPDATE notices SET {values} WHERE notice_id = :notice_id"  # noqa: S608 - names of ours
        # a later ending of the same mail: a bounce, or another try of a person
        if not (data.get("turn") and self.db.execute(later, notice).rowcount):
            names = ", ".join(notice), ", ".join(f":{name}" for name in notice)
            self.db.execute(f"INSERT INTO notices ({names[0]}) VALUES ({names[1]})", notice)  # noqa: S608 - of ours

    def _keep_event(self, stream: str, stored: Stored, event: dict[str, Any]) -> None:
        words, data = stored.subject.split("."), event["data"]
        case_id, kind = (words[3], "told") if stream == "TOLD" else (words[1], words[2])
        slimmed = json.dumps(told(data, words[4]) if stream == "TOLD" else slim(data))
        marks = stored.headers["Nats-Time-Stamp"], "" if stream == "TOLD" else digest(event)
        at = _instant(event["time"]).isoformat()
        row = (case_id, stored.seq, kind, stored.subject, at, slimmed, *marks)
        self.db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def alike(event: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Each report that one is said to resemble: the pair, both sides, and a digest of when, how much and why."""
    data = event["data"]
    side = data["report_id"], data["case_id"], data["ticket"]
    for other in data["others"]:
        their = other["report_id"], other["case_id"], other["ticket"]
        why = [_instant(event["time"]).isoformat(), other["score"], other["reasons"]]
        yield match_of(side[1], their[1]), *side, *their, digest(why)


def match_of(one: str, other: str) -> str:
    """The id of a pair of cases."""
    return str(uuid5(_NETRAL, "/".join(("match", *sorted((one, other))))))


async def last_seq(bus: Bus, stream: str) -> int:
    """The highest sequence of a stream."""
    return int((await bus.js.stream_info(stream)).state.last_seq)


async def messages(bus: Bus, stream: str, last: int, subjects: str = ">") -> AsyncIterator[Stored]:
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
