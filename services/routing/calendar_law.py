"""The calendars in force: elections and days off last loaded. With the rulebook they make one judge; decisions name both."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from contracts.decision import CalendarRef
from contracts.events import CalendarLoaded, CalendarLoadedData
from contracts.ids import NETRAL, derived_id
from services.routing.calendar_files import calendar_files, read_calendars, reference
from services.routing.core.stages import Calendars
from services.routing.core.workdays import WorkCalendar
from services.routing.in_force import CURE, InForce
from services.routing.law import Law
from services.routing.yaml_nodes import BrokenRulebook, RuleFault
from services.runtime.bus import Bus
from services.runtime.clock import Clock
from services.runtime.reading import surely


class CalendarLaw(InForce[CalendarLoaded]):
    """Keeps the calendars of the judge that `law` holds; both are replaced whole."""

    event, stream, subjects, name = CalendarLoaded, "CALENDARS", "calendars.*", "calendars"

    def __init__(self, law: Law, clock: Clock) -> None:
        super().__init__(clock)
        self._law = law

    def digest_of(self, event: CalendarLoaded) -> str:
        return event.data.calendar.digest

    def digest_held(self) -> str:
        return self._law.judge.calendar.digest

    async def take(self, event: CalendarLoaded) -> None:
        calendars, workdays = await asyncio.to_thread(calendars_of, event)
        self._law.judge = replace(
            self._law.judge, calendars=calendars, workdays=workdays, calendar=event.data.calendar
        )

    def packaged(self) -> CalendarLoaded:
        judge = self._law.judge
        return self._event(judge.calendar, judge.workdays, calendar_files())

    async def load(self, bus: Bus, files: Mapping[str, bytes]) -> CalendarLoaded:
        """Make calendars those in force, or say that they are already. Raises BrokenRulebook, Overtaken and BrokerAway."""
        calendars, workdays = await asyncio.to_thread(read_calendars, files)
        ref = reference(calendars, workdays)
        await self.catch_up(bus)
        if self.current and self.digest_of(self.current) == ref.digest:
            return self.current
        await self._refuse_a_name_used_before(bus, ref, workdays)
        return await self.put(bus, self._event(ref, workdays, files))

    async def _refuse_a_name_used_before(self, bus: Bus, ref: CalendarRef, workdays: WorkCalendar) -> None:
        """A limit names its calendar by the version, so a version never means other days than before."""
        faults = set[RuleFault]()
        for number in range(1, self.current.data.number + 1 if self.current else 1):
            stored = await surely(bus, f"calendars.{number}")
            data = self._read(stored).data if stored else None
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

    def _event(self, ref: CalendarRef, workdays: WorkCalendar, files: Mapping[str, bytes]) -> CalendarLoaded:
        number = self.next_number
        return CalendarLoaded(
            id=derived_id(NETRAL, "calendars", str(number), ref.digest),
            source="netral/routing",
            subject="calendars",
            time=self._clock(),
            data=CalendarLoadedData(
                number=number,
                calendar=ref,
                workdays=CalendarRef(version=workdays.version, digest=workdays.digest),
                previous=self.current.data.calendar if self.current else None,
                files={name: raw.decode() for name, raw in files.items()},
            ),
        )


def calendars_of(event: CalendarLoaded) -> tuple[Calendars, WorkCalendar]:
    """The calendars of an event, the very ones that were loaded. Raises BrokenRulebook."""
    data = event.data
    found = read_calendars({name: text.encode() for name, text in data.files.items()})
    if reference(*found).digest != data.calendar.digest:
        raise BrokenRulebook([RuleFault(f"calendars.{data.number}", f"reads differently here; {CURE}")])
    return found
