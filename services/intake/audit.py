"""A standing sample: of a few reports at a time, whether the vault and the stream both hold them.

Each has what the other cannot tell: the vault who is named, the stream what follows. A report is in the vault before it is
told, so one that only the stream holds was lost by the vault, and an accepted one that only the vault holds by the broker.
"""

import random
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from contracts.events import ReportAccepted
from contracts.topology import stream_of
from services.intake.vault import Vault
from services.runtime.bus import BrokerAway, Bus
from services.runtime.logs import log
from services.runtime.metrics import SILENT, Counted, Instruments
from services.runtime.reading import last_of_each, page_of

SAMPLE = 20
_SUBJECT = "reports.{}.accepted"
_STREAM = stream_of(_SUBJECT)


class Apart(NamedTuple):
    """Reports of the sample that one of the two does not hold."""

    vault: Collection[UUID]
    stream: Collection[UUID]


class Audit:
    """`dice` choose where a sample begins, so that in time every report has been looked at."""

    def __init__(
        self, vault: Vault, instruments: Instruments = SILENT, dice: random.Random | None = None
    ) -> None:
        self._vault, self._instruments = vault, instruments
        self._dice = dice or random.Random()  # noqa: S311 - nothing depends on their being secret
        for where in Apart._fields:
            instruments.count(Counted.APART, 0, outcome=where)

    async def look(self, bus: Bus, before: datetime) -> Apart:
        """Take one sample of each, count and log what is missing. Raises BrokerAway and VaultAway.

        Of the vault only what came before an instant (UTC): a follower of the broker that answers may be a moment behind.
        """
        apart = Apart(vault=await self._not_in_vault(bus), stream=await self._not_on_stream(bus, before))
        for where, missing in apart._asdict().items():
            if missing:
                self._instruments.count(Counted.APART, len(missing), outcome=where)
                log(
                    "reports.apart",
                    level="ERROR",
                    missing_in=where,
                    reports=len(missing),
                    report_id=str(min(missing)),
                )
        return apart

    async def _not_on_stream(self, bus: Bus, before: datetime) -> set[UUID]:
        start = UUID(int=self._dice.getrandbits(128))
        kept = set(await self._vault.accepted_from(start, SAMPLE, before))
        there = last_of_each(bus, _STREAM, [_SUBJECT.format(report_id) for report_id in kept])
        subjects = {stored.subject async for stored in there}
        return {report_id for report_id in kept if _SUBJECT.format(report_id) not in subjects}

    async def _not_in_vault(self, bus: Bus) -> set[UUID]:
        """The newest too: an older copy of the vault lacks the end and nothing else."""
        last = await _last(bus)
        starts = {self._dice.randint(1, max(1, last)), max(1, last - SAMPLE + 1)}
        pages = [
            await page_of(bus, _STREAM, start, subjects=_SUBJECT.format("*"), most=SAMPLE) for start in starts
        ]
        told = {report_id for page in pages for stored in page if (report_id := _told(stored.body))}
        return told - (await self._vault.tickets(told)).keys()


async def _last(bus: Bus) -> int:
    """The sequence of the newest report; 0 if there is none."""
    try:
        return (await bus.js.get_last_msg(_STREAM, _SUBJECT.format("*"), direct=True)).seq or 0
    except NotFoundError:
        return 0
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False, stream=_STREAM) from None


def _told(body: bytes) -> UUID | None:
    """What is no event at all is parked by those who read it, and was never in the vault."""
    try:
        return ReportAccepted.model_validate_json(body).data.report_id
    except ValidationError:
        return None
