"""Counting days: known limits from real decrees, and what the count promises for any day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.codes import DeadlineUnit
from services.routing.calendar_files import load_calendars
from services.routing.core.workdays import WorkCalendar

_, CALENDAR = load_calendars()
WORKING, PLAIN, HOUR = DeadlineUnit
STARTS = st.dates(date(2014, 1, 1), date(2027, 6, 30))


@pytest.mark.parametrize(
    ("start", "count", "limit"),
    [
        ("2023-04-11", 7, "2023-04-27"),  # the leave of Idul Fitri as amended: 19 to 21, 24 and 25 April
        ("2023-04-18", 1, "2023-04-26"),
        ("2024-04-05", 1, "2024-04-16"),  # leave on 8, 9, 12 and 15 April
        ("2024-02-07", 7, "2024-02-21"),  # 8 and 9 February, and polling day
        ("2024-10-23", 7, "2024-11-01"),
        ("2024-11-26", 1, "2024-11-28"),  # polling day of the Pilkada
        ("2024-12-24", 7, "2025-01-07"),
        ("2021-12-23", 1, "2021-12-24"),  # leave taken back by SKB 712/2021
        ("2020-12-08", 1, "2020-12-10"),
        ("2018-06-26", 1, "2018-06-28"),
        ("2024-10-23", 0, "2024-10-23"),
    ],
)
def test_working_days_skip_weekends_holidays_and_collective_leave(start: str, count: int, limit: str) -> None:
    assert CALENDAR.add(date.fromisoformat(start), count, WORKING) == (date.fromisoformat(limit), False)


def test_calendar_days_count_every_day() -> None:
    assert CALENDAR.add(date(2024, 10, 23), 7, PLAIN) == (date(2024, 10, 30), False)
    assert CALENDAR.add(date(2030, 12, 30), 7, PLAIN) == (date(2031, 1, 6), False)


@pytest.mark.parametrize(
    ("start", "provisional"),
    [
        ("2027-12-20", True),
        ("2027-12-01", False),
        ("2028-03-01", True),
        ("2031-05-01", True),
        ("2013-05-01", True),
    ],
)
def test_a_limit_that_reaches_a_year_without_a_decree_is_provisional(start: str, provisional: bool) -> None:
    assert CALENDAR.add(date.fromisoformat(start), 10, WORKING)[1] is provisional


def test_hours_and_negative_counts_are_no_days() -> None:
    with pytest.raises(ValueError, match="number of days"):
        CALENDAR.add(date(2024, 10, 23), 24, HOUR)
    with pytest.raises(ValueError, match="not below 0"):
        CALENDAR.add(date(2024, 10, 23), -1, WORKING)


@given(STARTS, st.integers(1, 40))
def test_exactly_the_counted_number_of_working_days_lies_after_the_event(start: date, count: int) -> None:
    limit, _ = CALENDAR.add(start, count, WORKING)
    after = (start + timedelta(days=number) for number in range(1, (limit - start).days + 1))
    assert sum(CALENDAR.is_working_day(day) for day in after) == count
    assert CALENDAR.is_working_day(limit)


@given(STARTS, st.integers(0, 20), st.integers(0, 20))
def test_counting_in_two_steps_ends_on_the_same_day(start: date, first: int, second: int) -> None:
    between, _ = CALENDAR.add(start, first, WORKING)
    assert CALENDAR.add(between, second, WORKING)[0] == CALENDAR.add(start, first + second, WORKING)[0]


def test_the_calendar_is_a_value_that_others_can_make() -> None:
    closed = WorkCalendar("1", "sha256:0", frozenset({date(2024, 10, 24)}), frozenset({2024}))
    assert closed.add(date(2024, 10, 23), 1, WORKING) == (date(2024, 10, 25), False)
