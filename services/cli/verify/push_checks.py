"""Compares the queue of webhooks with the log: whoever proved an address is sent all that its holder is told, and no more.

The queue is read before the streams, which therefore know all that it knows.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.cli.verify.digests import digest
from services.cli.verify.findings import BROKEN, Finding
from services.cli.verify.logbook import Logbook, last_seq, messages
from services.cli.verify.model_rows import instant
from services.cli.verify.push_rows import COLUMNS, ENDED, Endpoint, check_row
from services.cli.verify.readable import unread_in
from services.cli.verify.single import looked_at
from services.runtime.bus import Bus

DURABLE = ("TOLD", "routing-deliveries")
"""What fills the queue."""
PAGE = 1000
SOON = timedelta(minutes=1)
"""After an address was proved until it is known to whoever queues, and after an alarm until it is told."""
_SCRATCH = f"""
DROP TABLE IF EXISTS told; DROP TABLE IF EXISTS queue;
CREATE TEMP TABLE told (event_id TEXT PRIMARY KEY, seq INTEGER, event TEXT);
CREATE TEMP TABLE queue ({COLUMNS}, PRIMARY KEY (delivery_id));
"""
_ROWS = text(f"""SELECT {COLUMNS} FROM (SELECT d.*, e.state AS endpoint_state FROM deliveries AS d
    LEFT JOIN endpoints AS e USING (endpoint_id)) AS queue
    WHERE delivery_id > :last ORDER BY delivery_id LIMIT :most""")  # noqa: S608
_ENDPOINTS = text("SELECT endpoint_id, number, agency, office, state, proved_at, event FROM endpoints")
_ALARMS = text("SELECT endpoint_id, alarm_id, at, told FROM alarms")
_TRIED = text(f"""SELECT d.delivery_id, d.state, d.tries, count(a.number) AS noted FROM deliveries AS d
    LEFT JOIN attempts AS a ON a.delivery_id = d.delivery_id GROUP BY d.delivery_id
    HAVING count(a.number) > d.tries OR (d.state = '{ENDED}' AND d.body <> ''
        AND sum(CASE WHEN a.verdict = '{ENDED}' THEN 1 ELSE 0 END) = 0)""")  # noqa: S608 - words of ours


async def check_push(
    engine: AsyncEngine, bus: Bus, book: Logbook, now: datetime, *, complete: bool
) -> AsyncIterator[Finding]:
    """`complete`: all that was read of TOLD must be in the queue. Raises BrokerAway and NATS errors."""
    book.db.executescript(_SCRATCH)
    async with engine.connect() as connection:
        endpoints = (await connection.execute(_ENDPOINTS)).all()
        alarms = (await connection.execute(_ALARMS)).all()
        for row in (await connection.execute(_TRIED)).all():
            says = f"is {row.state} after {row.tries} tries, of which {row.noted} are noted"
            yield Finding("webhook-row", row.delivery_id, says)
        await _copy(connection, book)
    known, alarmed, odd = await _changes(bus)
    for finding in (*odd, *_endpoints(endpoints, known, now), *_alarms(alarms, alarmed, now)):
        yield finding
    if not known and not book.db.execute("SELECT 1 FROM queue").fetchone():
        return
    async for stored in messages(bus, "TOLD", await last_seq(bus, "TOLD")):
        if unread_in(stored.body) is None:  # else it was named already, and nobody could queue it
            told = json.loads(stored.body)["id"], stored.seq, stored.body.decode()
            book.db.execute("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", told)
    for finding in (*_rows(book, known, now), *(_missing(book, known) if complete else ())):
        yield finding


async def _copy(connection: AsyncConnection, book: Logbook) -> None:
    last, keep = "", f"INSERT INTO queue VALUES ({', '.join('?' * len(COLUMNS.split(',')))})"  # noqa: S608
    while rows := (await connection.execute(_ROWS, {"last": last, "most": PAGE})).all():
        for row in rows:
            values = [str(value) if isinstance(value, datetime) else value for value in row]
            book.db.execute(keep, values)
        last = rows[-1].delivery_id


async def _changes(bus: Bus) -> tuple[dict[str, Endpoint], set[tuple[str, str]], list[Finding]]:
    """The endpoints as their changes leave them, which alarms were told, and what single messages show."""
    known, alarmed, odd = dict[str, Endpoint](), set[tuple[str, str]](), list[Finding]()
    async for stored in messages(bus, "WEBHOOKS", await last_seq(bus, "WEBHOOKS")):
        event, wrong = looked_at("WEBHOOKS", stored)
        odd += wrong
        if event is None or wrong:
            continue
        data = event["data"]
        if "alarm_id" in data:
            alarmed.add((data["endpoint_id"], data["alarm_id"]))
        else:
            known.setdefault(data["endpoint_id"], Endpoint()).add(event)
    return known, alarmed, odd


def _endpoints(rows: Any, known: dict[str, Endpoint], now: datetime) -> Iterator[Finding]:
    """A row may be some seconds behind its last change; it must be as one of them left it."""
    numbers = {row.endpoint_id: row.number for row in rows}
    for endpoint_id, endpoint in known.items():
        at, last = numbers.get(endpoint_id, 0), endpoint.last["data"]["number"]
        if at < last and endpoint.changed + SOON < now:
            yield Finding(
                "webhook-endpoint", endpoint_id, f"was changed {last} times, and the queue knows {at}"
            )
    for row in rows:
        change = known[row.endpoint_id].changes.get(row.number) if row.endpoint_id in known else None
        if change is None:
            yield Finding("webhook-endpoint", row.endpoint_id, f"the stream has no change {row.number} of it")
            continue
        if not _is_as_told(row, change, known[row.endpoint_id]):
            yield Finding(
                "webhook-endpoint", row.endpoint_id, f"is otherwise than its change {row.number} says"
            )


def _is_as_told(row: Any, change: dict[str, Any], endpoint: Endpoint) -> bool:
    """When it was proved first is not known where the stream lost its beginning."""
    data, proved = change["data"], row.proved_at and instant(row.proved_at)
    if (row.agency, row.office, row.state) != (data["agency"], data["office"], data["state"]):
        return False
    return _same(row.event, change) and (not endpoint.whole or proved == endpoint.proved_by(row.number))


def _alarms(rows: Any, told: set[tuple[str, str]], now: datetime) -> Iterator[Finding]:
    for row in rows:
        at = instant(row.at)
        late = row.told or at is None or at + SOON < now
        if late and (row.endpoint_id, row.alarm_id) not in told:
            yield Finding("webhook-alarm", row.endpoint_id, f"an alarm of {row.at} was told to nobody")


def _rows(book: Logbook, known: dict[str, Endpoint], now: datetime) -> Iterator[Finding]:
    joined = f"SELECT told.event, {COLUMNS} FROM queue LEFT JOIN told USING (event_id)"  # noqa: S608
    for event, *values in book.db.execute(joined):
        row = dict(zip(COLUMNS.replace(" ", "").split(","), values, strict=True))
        try:
            found = list(check_row(row, event and json.loads(event), known.get(row["endpoint_id"]), now))
        except BROKEN as broken:
            found = [f"holds what is none of ours ({type(broken).__name__})"]
        for says in found:
            yield Finding("webhook-row", row["delivery_id"], says)


def _missing(book: Logbook, known: dict[str, Endpoint]) -> Iterator[Finding]:
    """Of addresses that are used no more nothing is wanted."""
    wanted = [(key, one) for key, one in known.items() if one.proved and one.state != "DELETED"]
    there = "SELECT 1 FROM queue WHERE delivery_id = ?"
    events = book.db.execute(
        "SELECT event_id, event FROM told WHERE seq <= ? ORDER BY seq", (book.last["TOLD"],)
    )
    for event_id, body in events if wanted else ():
        event = json.loads(body)
        at, data = datetime.fromisoformat(event["time"]), event["data"]
        for endpoint_id, endpoint in wanted:
            if not endpoint.hears(data) or endpoint.proved is None or at < endpoint.proved + SOON:
                continue
            if not book.db.execute(
                there, (str(uuid5(UUID(endpoint_id), f"delivery/{event_id}")),)
            ).fetchone():
                says = f"{event['type']} {event_id} of the case {data['case_id']} is not queued for it"
                yield Finding("webhook-missing", endpoint_id, says)


def _same(text_: str, event: dict[str, Any]) -> bool:
    try:
        return digest(json.loads(text_)) == digest(event)
    except ValueError:
        return False
