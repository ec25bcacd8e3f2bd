"""Says what is due when a timer fires: each limit and level once; a PPK who let it pass is on record as silent.

What is due is asked of the case and of our clock, not of the timer: one that fires twice, late, or for a limit that was
moved or ended changes nothing.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from contracts import regions
from contracts.codes import ProgressEvent
from contracts.events import CaseDue, CaseDueData, CaseWaiting, CaseWaitingData, DueLevel, event_id
from contracts.steps import NETRAL, Matter, Said
from services.routing.casebook import Casebook, Crowded, Impossible
from services.routing.casefiles import File, NoSuchCase
from services.routing.core.fanout import SOURCE
from services.routing.core.limits import QUEUE
from services.routing.core.parts import is_silence
from services.routing.timers import Firing
from services.runtime.bus import Bus
from services.runtime.clock import Clock
from services.runtime.failures import TryLater
from services.runtime.logs import log
from services.runtime.metrics import SILENT, Counted, Instruments


class Spoken(StrEnum):
    """What came of a timer: said; the limit no longer runs; its time has not come by our clock; no such case."""

    SAID = "said"
    OUTDATED = "outdated"
    EARLY = "early"
    NO_CASE = "no case"


class _Running(NamedTuple):
    matter: Matter
    at: datetime
    office: str | None


class Limits:
    """Repeating any part of its work changes nothing: each event has one subject, each step is said once."""

    def __init__(self, bus: Bus, casebook: Casebook, clock: Clock, instruments: Instruments = SILENT) -> None:
        self._bus, self._casebook, self._clock, self._instruments = bus, casebook, clock, instruments

    async def speak(self, firing: Firing) -> Spoken:
        """Say that a limit is near or over, if it is. Raises BrokerAway and TryLater."""
        try:
            file = await self._casebook.read(firing.case_id)
        except NoSuchCase:
            log("limits.no_case", level="ERROR", case=str(firing.case_id))
            return Spoken.NO_CASE
        running = _running(file, firing)
        if running is None:
            return Spoken.OUTDATED
        if self._clock() < running.at:
            return Spoken.EARLY
        event = self._event(file, firing, running)
        over = firing.level == DueLevel.OVERDUE
        if over and is_silence(running.matter, firing.agency, firing.last_day):
            spoken = await self._silent(file, firing, event)
        else:
            await self._bus.tell([event])
            spoken = Spoken.SAID
        if over and spoken is Spoken.SAID:
            self._instruments.count(Counted.BREACHED, agency=firing.agency)
        return spoken

    async def _silent(self, file: File, firing: Firing, event: CaseDue | CaseWaiting) -> Spoken:
        """A duty to sanction whose limit passed: the PPK is silent (R38, R39). Step and event are stored together."""
        region = file.decided.data.region
        today = self._clock().astimezone(regions.zone_of(region)).date()
        said = Said(event=ProgressEvent.PPK_CONCLUDED, result="SILENT", person=firing.person, on=today)
        try:
            await self._casebook.say(firing.case_id, said, NETRAL, None, {}, also=[event])
        except Crowded:
            # Nothing is said of the limit before the step is: else the duty would stay with who is silent.
            raise TryLater(1) from None
        except Impossible as moved_on:
            log("limits.moved_on", case=str(firing.case_id), reason=moved_on.reason[:100])
            if _running(await self._casebook.read(firing.case_id), firing) is None:
                return Spoken.OUTDATED
            await self._bus.tell([event])
        return Spoken.SAID

    def _event(self, file: File, firing: Firing, running: _Running) -> CaseDue | CaseWaiting:
        data, ref, last_day = file.decided.data, firing.person, firing.last_day
        about = {"case_id": data.case_id, "ticket": data.ticket, "region": data.region, "person": ref}
        envelope = {"source": SOURCE, "subject": str(data.case_id), "time": file.dated(self._clock())}
        if firing.level == QUEUE:
            owner = running.matter.owner
            waits = CaseWaitingData(**about, reason=owner.why if owner else "closed", last_day=last_day)
            key = event_id(data.case_id, "waiting", ref, str(last_day))
            return CaseWaiting(**envelope, id=key, data=waits)
        agency, level = firing.agency, firing.level
        due = CaseDueData(**about, agency=agency, office=running.office, level=level, last_day=last_day)
        key = event_id(data.case_id, "due", ref, agency, str(last_day), level)
        return CaseDue(**envelope, id=key, data=due)


def _running(file: File, firing: Firing) -> _Running | None:
    """The limit or the queue's alarm that a timer is about, if it still runs."""
    for matter in file.matters:
        if matter.ref != firing.person:
            continue
        if firing.level == QUEUE:
            alarm = matter.alarm
            here = alarm is not None and alarm.last_day == firing.last_day
            return _Running(matter, alarm.at, None) if alarm and here else None
        for due in matter.dues:
            if (due.agency, due.last_day) == (firing.agency, firing.last_day):
                near = firing.level == DueLevel.REMINDER
                return _Running(matter, due.remind_at if near else due.over_at, due.office)
    return None
