"""A change of the calendars as an event: elections and days off, whole, as routing counts by them from here on."""

from typing import Literal

from contracts.decision import CalendarRef, Part
from contracts.envelope import Event


class CalendarLoadedData(Part):
    """`number` counts the changes, from 1; `files` holds every file by name.

    `calendar` is what a decision names, `workdays` the part of it that time limits name.
    """

    number: int
    calendar: CalendarRef
    workdays: CalendarRef
    previous: CalendarRef | None
    files: dict[str, str]


class CalendarLoaded(Event):
    """From here on routing decides and counts by these calendars; they were checked before."""

    type: Literal["id.netral.calendar.loaded.v1"] = "id.netral.calendar.loaded.v1"
    data: CalendarLoadedData

    @property
    def nats_subject(self) -> str:
        return f"calendars.{self.data.number}"
