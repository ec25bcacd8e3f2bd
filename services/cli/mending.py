"""`netral mend`: puts back into the streams what they lost and a database still knows, while all runs (ADR 0099)."""

import asyncio
import time
from typing import NamedTuple

from contracts.topology import CONSUMERS
from services.cli.backup import addresses
from services.cli.broker import operator
from services.cli.console import complain, tables
from services.cli.errors import TROUBLE, Stop
from services.cli.rebuilding import rebuild
from services.cli.telling_again import forget_marks, tell_cases, tell_reports, untell_notices
from services.cli.verify.checking import TROUBLES
from services.cli.web import settings_of
from services.runtime.bus import BrokerAway, Bus
from services.runtime.rewinding import rewind
from services.runtime.settings import Settings

DERIVED = (
    ("REPORTS", "intake-matching"),
    ("REPORTS", "routing"),
    ("CASES", "routing-projection"),
    ("CASES", "routing-agencies"),
    *((c.stream, c.name) for c in CONSUMERS if c.service == "notifications" and c.stream != "WEBHOOKS"),
)
"""Whoever makes a stream, timers or mails of another stream, in their order. What stands already stays as it is.

An alarm about a webhook is of its day; nobody is mailed of an old one.
"""
PATIENCE = 600.0
"""Seconds a durable may stand still while it hears everything again."""


class Mended(NamedTuple):
    """How many were put back into CASES, REPORTS and NOTICES; and the subjects of CASES at which another record stands."""

    cases: int
    others: list[str]
    reports: int
    notices: int


def mend() -> None:
    """Put everything back, then have the views compared. Raises Stop; what was put back by then stays."""
    try:
        done = asyncio.run(_mended())
    except (BrokerAway, *TROUBLES) as trouble:
        says = f"mend: a stream or a database does not answer ({type(trouble).__name__}); run it again"
        raise Stop(says, TROUBLE) from None
    for subject in done.others:
        complain(f"{subject}: another record stands there now; the lost one stays lost")
    out = tables()
    out.print(f"Put back: {done.cases} records of cases, {done.reports} reports, {done.notices} notices.")
    out.print("What follows from them was heard again. Now the views:")
    rebuild(check=False, replace=True, as_json=False)
    asyncio.run(forget_marks(addresses()["routing"]))
    out.print("Next: `netral verify`.")


async def _mended() -> Mended:
    where = addresses()
    async with operator(settings_of(Settings)) as js:
        bus = Bus(js._nc)
        cases, others = await tell_cases(bus, where["routing"])
        reports = await tell_reports(bus, where["intake"])
        told = Mended(cases, others, reports, await untell_notices(bus, where["notifications"]))
        for stream, durable in DERIVED:
            await rewind(js._nc, stream, durable, sequence=1)
            await _heard(bus, stream, durable)
        return told


async def _heard(bus: Bus, stream: str, durable: str) -> None:
    """Wait until a durable has heard all. Raises Stop if it stands still."""
    left, since = -1, time.monotonic()
    while True:
        info = await bus.js.consumer_info(stream, durable)
        waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
        if not waiting:
            return
        if waiting != left:
            left, since = waiting, time.monotonic()
            complain(f"{durable}: {waiting} messages to hear")
        if time.monotonic() - since > PATIENCE:
            raise Stop(f"mend: {durable} stands still; is its service running? Then run it again", TROUBLE)
        await asyncio.sleep(1)
