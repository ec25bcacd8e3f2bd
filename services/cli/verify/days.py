"""Counts working days a second time, from the published files of days off; nothing of the engine's calendar is used."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML


class DaysOff(NamedTuple):
    """Public holidays and collective leave; `version` is what a time limit names."""

    version: str
    days: frozenset[date]


def days_off(holidays: str, corrections: str) -> DaysOff:
    """The days off of the texts of `holidays.csv` and `workdays.yaml`."""
    head, *lines = holidays.splitlines()
    listed = {date.fromisoformat(line.split(",")[0]) for line in lines if line}
    document = YAML(typ="safe").load(corrections)
    added, removed = ({entry["day"] for entry in document[name]} for name in ("add", "remove"))
    version = f"holidays-{head.split(',')[1]} workdays-{document['version']}"
    return DaysOff(version, frozenset((listed | added) - removed))


def packaged(folder: Path) -> DaysOff:
    """The days off of a folder of calendars."""
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("holidays.csv", "workdays.yaml")]
    return days_off(*texts)


def last_day(since: date, count: int, unit: str, off: DaysOff) -> date:
    """The last day in time of a limit in days; the day of the event is not counted."""
    if unit == "CALENDAR_DAY":
        return since + timedelta(count)
    day = since
    while count:
        day += timedelta(1)
        count -= day.isoweekday() < 6 and day not in off.days
    return day


def over_at(last: date, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) after the last day at the place."""
    return datetime.combine(last + timedelta(1), time(), zone).astimezone(UTC)
