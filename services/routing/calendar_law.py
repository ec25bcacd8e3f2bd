"""The calendars in force: elections and days off last loaded, as an event every worker and every restart reads the same.

They follow the same way as the rulebook (`law.py`) and make one judge with it: each decision names both digests.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from contracts.decision import CalendarRef
from contracts.events import CalendarLoaded, CalendarLoadedData
from contracts.ids import NETRAL, derived_id
from services.routing.calendar_files import calendar_files, read_calendars, reference
from services.routing.core.stages import Calendars
from services.routing.core.workdays import WorkCalendar
from services.routing.law import FOLLOW_SECONDS, Law, Overtaken
from services.routing.yaml_nodes import BrokenRulebook, RuleFault
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log

_CURE = "start the version of Netral that loaded it, and load one there that this version reads"


class CalendarLaw:
    """Keeps the calendars of the judge that `law` holds; both are replaced whole."""

    def __init__(self, law: Law, clock: Clock) -> None:
        self.current: CalendarLoaded | None = None
        self.unreadable: str | None = None
        """Why the calendars in force are not those this worker counts by; None while they are."""
        self._law, self._clock = law, clock
        self._following = asyncio.Lock()

    async def open(self, bus: Bus) -> None:
        """Take the calendars last loaded, or make the packaged ones the first. Raises BrokenRulebook, BrokerAway."""
        judge = self._law.judge
        await self._follow(bus)
        if self.current is None:
            await bus.tell([self._event(judge.calendar, judge.workdays, calendar_files())])
            await self._follow(bus)
        elif self.current.data.calendar.digest != judge.calendar.digest:
            log("calendars.package_differs", level="WARNING", packaged=judge.calendar.version)

    async def load(self, bus: Bus, files: Mapping[str, bytes]) -> CalendarLoaded:
        """Make calendars those in force, or say that they are already. Raises BrokenRulebook, Overtaken and BrokerAway."""
        calendars, workdays = await asyncio.to_thread(read_calendars, files)
        ref = reference(calendars, workdays)
        await self._follow(bus)
        if self.current and self.current.data.calendar.digest == ref.digest:
            return self.current
        await self._refuse_a_name_used_before(bus, ref, workdays)
        event = self._event(ref, workdays, files)
        await bus.tell([event])
        await self._follow(bus)
        if self.current != event:
            raise Overtaken
        log("calendars.loaded", number=event.data.number, version=ref.version)
        return event

    async def _refuse_a_name_used_before(self, bus: Bus, ref: CalendarRef, workdays: WorkCalendar) -> None:
        """A limit names its calendar by the version, so a version never means other days than before."""
        faults = set[RuleFault]()
        for number in range(1, self.current.data.number + 1 if self.current else 1):
            stored = await bus.read(f"calendars.{number}")
            data = _event_in(stored).data if stored else None
            if data is None or data.calendar.digest == ref.digest:
                continue
            days = CalendarRef(version=workdays.version, digest=workdays.digest)
            if (data.workdays.version == days.version) and data.workdays.digest != days.digest:
                says = f"its version and that of holidays.csv ({days.version}) were loaded before with other days; raise it"
                faults.add(RuleFault("workdays.yaml", says))
            elif data.calendar.version == ref.version and data.workdays == days:
                says = f"its version ({ref.version.split()[0]}) was loaded before with another text; raise it"
                faults.add(RuleFault("elections.yaml", says))
        if faults:
            raise BrokenRulebook(sorted(faults, key=str))

    async def follow(self, bus: Bus) -> None:
        """Follow the changes other workers make, until cancelled. What cannot be followed makes the worker not ready."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self._follow(bus)
            except BrokerAway:
                continue
            except BrokenRulebook as broken:
                if self.unreadable is None:
                    log("calendars.cannot_follow", level="ERROR", reason=str(broken)[:300])
                self.unreadable = "the calendars in force cannot be read by this version of the software"

    async def _follow(self, bus: Bus) -> None:
        async with self._following:
            stored = await bus.last("CALENDARS", "calendars.*")
            event = _event_in(stored) if stored else None
            if event is None or (self.current and event.data.number <= self.current.data.number):
                return
            if event.data.calendar.digest != self._law.judge.calendar.digest:
                calendars, workdays = await asyncio.to_thread(calendars_of, event)
                self._law.judge = replace(
                    self._law.judge, calendars=calendars, workdays=workdays, calendar=event.data.calendar
                )
            self.current, self.unreadable = event, None

    def _event(self, ref: CalendarRef, workdays: WorkCalendar, files: Mapping[str, bytes]) -> CalendarLoaded:
        before = self.current.data if self.current else None
        number = before.number + 1 if before else 1
        return CalendarLoaded(
            id=derived_id(NETRAL, "calendars", str(number), ref.digest),
            source="netral/routing",
            subject="calendars",
            time=self._clock(),
            data=CalendarLoadedData(
                number=number,
                calendar=ref,
                workdays=CalendarRef(version=workdays.version, digest=workdays.digest),
                previous=before.calendar if before else None,
                files={name: raw.decode() for name, raw in files.items()},
            ),
        )


def calendars_of(event: CalendarLoaded) -> tuple[Calendars, WorkCalendar]:
    """The calendars of an event, the very ones that were loaded. Raises BrokenRulebook."""
    data = event.data
    found = read_calendars({name: text.encode() for name, text in data.files.items()})
    if reference(*found).digest != data.calendar.digest:
        raise BrokenRulebook([RuleFault(f"calendars.{data.number}", f"reads differently here; {_CURE}")])
    return found


def _event_in(stored: bytes) -> CalendarLoaded:
    try:
        return CalendarLoaded.model_validate_json(stored)
    except ValidationError:
        raise BrokenRulebook([RuleFault("CALENDARS", f"its last message is no calendar; {_CURE}")]) from None
