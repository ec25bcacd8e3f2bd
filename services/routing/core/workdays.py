"""Counts days for time limits: the day of the event is not counted, the last day is in time."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from contracts.codes import DeadlineUnit
from services.routing.core.memory import Memory

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class WorkCalendar:
    """The days on which offices of the state are closed: public holidays and collective leave (cuti bersama).

    `decreed_years` are the years whose days off are decided by a joint decree; in any other year the holidays
    are an estimate and the collective leave is missing.
    """

    version: str
    digest: str
    days_off: frozenset[date]
    decreed_years: frozenset[int]
    _known: Memory[tuple[date, int, DeadlineUnit], tuple[date, bool]] = field(
        default_factory=Memory, compare=False, repr=False
    )

    def is_working_day(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.days_off

    def add(self, start: date, count: int, unit: DeadlineUnit) -> tuple[date, bool]:
        """The last day in time of `count` days after `start`, and whether that is provisional.

        It is provisional where the days counted touch a year without a decree. Raises ValueError for hours,
        which are counted on a clock, and for a negative count.
        """
        if unit is DeadlineUnit.HOUR or count < 0:
            raise ValueError(f"cannot count {count} {unit} on a calendar; give a number of days, not below 0")
        if unit is DeadlineUnit.CALENDAR_DAY:
            return start + count * _DAY, False
        asked = (start, count, unit)
        return self._known.get(asked) or self._known.keep(asked, self._count(start, count))

    def between(self, start: date, end: date, unit: DeadlineUnit) -> int:
        """How many days are counted after `start` up to `end`, which is in; 0 if it lies before."""
        days = max((end - start).days, 0)
        if unit is DeadlineUnit.CALENDAR_DAY:
            return days
        return sum(self.is_working_day(start + n * _DAY) for n in range(1, days + 1))

    def _count(self, start: date, count: int) -> tuple[date, bool]:
        day = start
        for _ in range(count):
            day = self._next_working_day(day)
        counted = range((start + _DAY).year, day.year + 1)
        return day, not self.decreed_years.issuperset(counted)

    def _next_working_day(self, day: date) -> date:
        day += _DAY
        while not self.is_working_day(day):
            day += _DAY
        return day
