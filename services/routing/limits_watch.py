"""Watches time limits: what is due is said once, and a PPK who let the limit pass is on record as silent."""

import asyncio
from datetime import date
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from contracts import regions
from contracts.codes import Agency, ProgressEvent
from contracts.events import CaseDue, CaseDueData, DueLevel, event_id
from contracts.steps import NETRAL, Said
from services.routing.casebook import Casebook, Impossible, NoSuchCase
from services.routing.matter_queries import MatterQueries
from services.routing.views import Row
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log

SECONDS = 5.0
"""Between two looks; timers are rows derived from the log, so a look misses none however long the service was away."""
GROUP = 200


class LimitsWatch:
    """Repeating any part of its work changes nothing: each event has one subject, each step is said once."""

    def __init__(self, bus: Bus, casebook: Casebook, queries: MatterQueries, clock: Clock) -> None:
        self._bus, self._casebook, self._queries, self._clock = bus, casebook, queries, clock

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            spoken = 0
            try:
                spoken = await self.look()
            except (BrokerAway, SQLAlchemyError) as trouble:
                log("limits.waiting", level="WARNING", error=type(trouble).__name__)
            # What spoke is marked when its event comes back by the stream; a full group is followed soon, not at once.
            await asyncio.sleep(SECONDS if spoken < GROUP else SECONDS / 10)

    async def look(self) -> int:
        """Say what is due now; how many timers spoke. Raises BrokerAway and SQLAlchemyError."""
        due = await self._queries.due(self._clock(), GROUP)
        for timer in due:
            try:
                await self._speak(timer)
            except (BrokerAway, SQLAlchemyError):
                raise
            except Exception as trouble:  # one bad case must not silence the limits of all others
                log("limits.failed", level="ERROR", case=timer["case_id"], error=type(trouble).__name__)
        return len(due)

    async def _speak(self, timer: Row) -> None:
        """The silence first: if we die in between, the timer has not spoken and speaks again."""
        case_id = UUID(timer["case_id"])
        try:
            file = await self._casebook.read(case_id)
        except NoSuchCase:
            log("limits.no_case", level="ERROR", case=str(case_id))
            return
        data = file.decided.data
        last_day = date.fromisoformat(timer["last_day"])
        if timer["level"] == DueLevel.OVERDUE:
            await self._silent(case_id, timer, last_day, data.region)
        told = CaseDueData(
            case_id=case_id,
            ticket=data.ticket,
            region=data.region,
            person=timer["ref"],
            agency=Agency(timer["agency"]),
            office=timer["office"],
            level=DueLevel(timer["level"]),
            last_day=last_day,
        )
        event = CaseDue(
            id=event_id(case_id, "due", timer["ref"], timer["agency"], timer["last_day"], timer["level"]),
            source="netral/routing",
            subject=str(case_id),
            time=self._clock(),
            data=told,
        )
        await self._bus.tell([event])

    async def _silent(self, case_id: UUID, timer: Row, last_day: date, region: str) -> None:
        """A recommendation whose limit passed: the PPK is silent (R38); any other state is left to its holder."""
        file = await self._casebook.read(case_id)
        matter = next(m for m in file.matters if m.ref == timer["ref"])
        waits = any(d.agency == timer["agency"] and d.last_day == last_day for d in matter.dues)
        if matter.state != "RECOMMENDED" or not waits:
            return
        today = self._clock().astimezone(regions.zone_of(region)).date()
        said = Said(event=ProgressEvent.PPK_CONCLUDED, result="SILENT", person=timer["ref"], on=today)
        try:
            await self._casebook.say(case_id, said, NETRAL, None, {})
        except Impossible as moved_on:
            log("limits.moved_on", case=str(case_id), reason=moved_on.reason[:100])
