"""How long an agency waits: from the acceptance of a report to the last agency's event, at so many reports a second."""

from collections.abc import AsyncIterator
from datetime import datetime

from contracts.events import ReportAccepted
from services.runtime.bus import Bus
from services.runtime.reading import Stored, page_of
from tests.bench.load import post_reports
from tests.bench.ours import CONNECTIONS, drained

RATES = (25, 50, 100, 500, 1000)
"""Reports offered a second: below what the road carries here, and far above."""


async def told_after(bus: Bus, url: str, run: str, count: int, rate: int) -> list[float]:
    """Seconds from acceptance until the last agency was offered its part, of each report, in order of size."""
    first = {name: (await bus.js.stream_info(name)).state.last_seq + 1 for name in ("REPORTS", "TOLD")}
    await post_reports(url, count, CONNECTIONS, run, rate)
    await drained(bus.js)
    told: dict[str, datetime] = {}
    async for stored in _all(bus, "TOLD", first["TOLD"], "told.*.*.*.offered.*"):
        case_id = stored.subject.split(".")[3]
        at = datetime.fromisoformat(stored.headers["Nats-Time-Stamp"])
        told[case_id] = max(at, told.get(case_id, at))
    waits = []
    async for stored in _all(bus, "REPORTS", first["REPORTS"], "reports.*.accepted"):
        accepted = ReportAccepted.model_validate_json(stored.body)
        waits.append((told[str(accepted.data.case_id)] - accepted.time).total_seconds())
    assert len(waits) == count
    return sorted(waits)


async def _all(bus: Bus, stream: str, start: int, subjects: str) -> AsyncIterator[Stored]:
    while page := await page_of(bus, stream, start, subjects=subjects):
        for stored in page:
            yield stored
        start = page[-1].seq + 1
