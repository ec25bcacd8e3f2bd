"""Checks that what near matches are looked up by names reports there are: their cases, days and when they came in."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.verify.findings import Finding
from services.cli.verify.logbook import Logbook
from services.cli.verify.model_rows import instant

PAGE = 1000
_KEYS = text(
    "SELECT key, case_id, report_id, day, received_at FROM match_keys WHERE (key, case_id) > (:key, :case_id)"
    " ORDER BY key, case_id LIMIT :most"
)
_REPORT = "SELECT case_id, json_extract(facts, '$.occurred_on'), at FROM reports WHERE report_id = ?"


async def check_keys(connection: AsyncConnection, book: Logbook) -> AsyncIterator[Finding]:
    """Which keys a report must have, only intake can tell. A vault of an earlier release has none."""
    if not await connection.run_sync(lambda one: inspect(one).has_table("match_keys")):
        return
    last = {"key": "", "case_id": ""}
    while rows := (await connection.execute(_KEYS, {**last, "most": PAGE})).all():
        for row in rows:
            if says := _otherwise(row, book):
                yield Finding("vault-key", row.report_id, f"the key {row.key} of the vault {says}")
        last = {"key": rows[-1].key, "case_id": rows[-1].case_id}


def _otherwise(row: Any, book: Logbook) -> str | None:
    own = book.db.execute(_REPORT, (row.report_id,)).fetchone()
    if own is None:
        return "is of this report, which was never accepted"
    said, told = (
        (row.case_id, str(row.day), instant(row.received_at)),
        (*own[:2], datetime.fromisoformat(own[2])),
    )
    return (
        None if said == told else f"says {', '.join(map(str, said))}; the stream {', '.join(map(str, told))}"
    )
