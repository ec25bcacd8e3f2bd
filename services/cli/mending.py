"""`netral mend`: puts back into the streams what they lost and a database still knows, while all runs (ADR 0099)."""

import asyncio
import time
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from contracts.topology import CONSUMERS
from services.cli.backup import addresses
from services.cli.broker import operator
from services.cli.console import complain, tables
from services.cli.errors import TROUBLE, Stop
from services.cli.rebuilding import rebuild
from services.cli.telling_again import Told, forget_marks, tell_cases, tell_reports, untell_notices
from services.cli.verify.checking import TROUBLES
from services.cli.web import settings_of
from services.runtime.bus import BrokerAway, Bus
from services.runtime.rewinding import NoSuchDurable, rewind
from services.runtime.settings import Settings

DERIVED = (
    ("REPORTS", "intake-matching"),
    ("REPORTS", "routing"),
    ("CASES", "routing-projection"),
    ("CASES", "routing-agencies"),
    ("TOLD", "routing-deliveries"),
    *((c.stream, c.name) for c in CONSUMERS if c.service == "notifications" and c.stream != "WEBHOOKS"),
)
"""Whoever makes streams, timers, webhooks or mails of another stream, in their order. What stands already stays as it is.

Of mails that still waited in a lost ledger no stream tells. An alarm about a webhook is of its day.
"""
PATIENCE = 600.0
"""Seconds a durable may stand still while it hears everything again."""
_TROUBLES = (BrokerAway, *TROUBLES)


class Mended(NamedTuple):
    """What was put back into CASES; how many into REPORTS and NOTICES."""

    cases: Told
    reports: int
    notices: int


def mend(*, replace: bool) -> None:
    """Put everything back, then have the views compared. Raises Stop; what was put back by then stays.

    Where records stay lost the views are taken over, and the marks forgotten, only with `replace`.
    """
    try:
        done = asyncio.run(_mended())
    except _TROUBLES as trouble:
        raise Stop(_says(trouble), TROUBLE) from None
    except NoSuchDurable as missing:
        raise Stop(f"mend: there is no durable {missing}; `netral provision`, then again", TROUBLE) from None
    for subject in done.cases.lost:
        complain(f"{subject}: stays lost, another record stands there by now or before it")
    out = tables()
    told = f"{done.cases.records} records of cases, {done.reports} reports, {done.notices} notices"
    out.print(f"Put back: {told}.")
    if done.cases.lost and not replace:
        says = f"mend: {len(done.cases.lost)} records stay lost, only the views still show them. Note what they say "
        raise Stop(says + "(`netral rebuild --check`), then `netral mend --replace`", TROUBLE)
    out.print("What follows was heard again. Now the views:")
    renew_views()
    try:
        asyncio.run(forget_marks(addresses()["routing"]))
    except SQLAlchemyError as trouble:
        raise Stop(_says(trouble), TROUBLE) from None
    out.print("Next: `netral verify`.")


def renew_views() -> None:
    """The last part, which no command but this one ends: the marks of what was lost are still there. Raises Stop."""
    try:
        rebuild(check=False, replace=True, as_json=False)
    except Stop as stopped:
        raise Stop(
            f"{stopped}. The streams are whole again: `netral mend` once more, for the views", stopped.code
        ) from None


async def _mended() -> Mended:
    where = addresses()
    async with operator(settings_of(Settings)) as js:
        bus = Bus(js._nc)
        cases = await tell_cases(bus, where["routing"])
        reports = await tell_reports(bus, where["intake"])
        untold = await untell_notices(bus, where["notifications"])
        for stream, durable in DERIVED:
            last = (await js.stream_info(stream)).state.last_seq
            await rewind(js._nc, stream, durable, sequence=1)
            await _heard(bus, stream, durable, last)
        return Mended(cases, reports, untold)


async def _heard(bus: Bus, stream: str, durable: str, last: int) -> None:
    """Wait until a durable has heard all up to a sequence, whatever comes after. Raises Stop if it stands still."""
    floor, since = -1, time.monotonic()
    while True:
        info = await bus.js.consumer_info(stream, durable)
        now_at = (info.ack_floor.stream_seq if info.ack_floor else 0) or 0
        if now_at >= last or not (info.num_pending or info.num_ack_pending):
            return
        if now_at != floor:
            floor, since = now_at, time.monotonic()
            complain(f"{durable}: at {floor} of {last}")
        if time.monotonic() - since > PATIENCE:
            raise Stop(f"mend: {durable} stands still; is its service running? Then run it again", TROUBLE)
        await asyncio.sleep(1)


def _says(trouble: Exception) -> str:
    return f"mend: a stream or a database does not answer ({type(trouble).__name__}); run it again"
