"""Watches time limits: what is due is said once, and a PPK who let the limit pass is on record as silent."""

import asyncio
from datetime import date
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from contracts import regions
from contracts.codes import ProgressEvent
from contracts.events import CaseDue, CaseDueData, CaseWaiting, CaseWaitingData, DueLevel, event_id
from contracts.steps import NETRAL, Said
from services.routing.casebook import Casebook, File, Impossible, NoSuchCase
from services.routing.core.fanout import SOURCE
from services.routing.core.parts import is_silence
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
        if timer["level"] == DueLevel.OVERDUE:
            await self._silent(file, timer)
        await self._bus.tell([self._said_by(file, timer)])

    def _said_by(self, file: File, timer: Row) -> CaseDue | CaseWaiting:
        data, ref, last_day = file.decided.data, timer["ref"], timer["last_day"]
        about = {"case_id": data.case_id, "ticket": data.ticket, "region": data.region, "person": ref}
        envelope = {"source": SOURCE, "subject": str(data.case_id), "time": self._clock()}
        if timer["level"] == "QUEUE":
            owner = next(matter.owner for matter in file.matters if matter.ref == ref)
            waits = CaseWaitingData(**about, reason=owner.why if owner else "closed", last_day=last_day)
            return CaseWaiting(**envelope, id=event_id(data.case_id, "waiting", ref, last_day), data=waits)
        agency, level = timer["agency"], timer["level"]
        due = CaseDueData(**about, agency=agency, office=timer["office"], level=level, last_day=last_day)
        return CaseDue(**envelope, id=event_id(data.case_id, "due", ref, agency, last_day, level), data=due)

    async def _silent(self, file: File, timer: Row) -> None:
        """A duty to sanction whose limit passed: the PPK is silent (R38, R39); any other limit is left to its holder."""
        data = file.decided.data
        matter = next(m for m in file.matters if m.ref == timer["ref"])
        if not is_silence(matter, timer["agency"], date.fromisoformat(timer["last_day"])):
            return
        today = self._clock().astimezone(regions.zone_of(data.region)).date()
        said = Said(event=ProgressEvent.PPK_CONCLUDED, result="SILENT", person=timer["ref"], on=today)
        try:
            await self._casebook.say(data.case_id, said, NETRAL, None, {})
        except Impossible as moved_on:
            log("limits.moved_on", case=str(data.case_id), reason=moved_on.reason[:100])
