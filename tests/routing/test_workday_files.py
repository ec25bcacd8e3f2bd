"""The days off on file: the same as the pinned package, corrected by decree, strict about mistakes."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from services.routing.calendar_files import HERE, calendar_files
from services.routing.core.workdays import WorkCalendar
from services.routing.workday_files import holiday_list, read_workdays
from services.routing.yaml_nodes import RuleFault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE, tmp_path / "calendars"))


def read_from(folder: Path) -> tuple[WorkCalendar, list[str]]:
    faults: list[RuleFault] = []
    return read_workdays(calendar_files(folder), faults), [str(fault) for fault in faults]


def correct(folder: Path, old: str, new: str) -> None:
    path = folder / "workdays.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(f"\n{old}", f"\n{new}"), encoding="utf-8")


def test_the_file_of_holidays_is_what_the_pinned_package_says() -> None:
    assert (HERE / "holidays.csv").read_text(encoding="utf-8") == holiday_list()


def test_the_version_names_the_package_and_the_corrections() -> None:
    calendar, faults = read_from(HERE)
    assert (calendar.version, faults) == ("holidays-0.109 workdays-2026.1", [])


def test_a_decree_adds_and_removes_days_and_changes_the_digest(folder: Path) -> None:
    correct(folder, "add: []", 'add: [{day: 2027-12-09, decree: "Keppres 1/2027", name: "Pemilihan"}]')
    correct(folder, "remove: []", 'remove: [{day: 2027-12-24, decree: "SKB 1/2027"}]')
    calendar, faults = read_from(folder)
    assert faults == []
    assert not calendar.is_working_day(date(2027, 12, 9))
    assert calendar.is_working_day(date(2027, 12, 24))
    assert calendar.digest != read_from(HERE)[0].digest


def test_comments_do_not_change_the_digest(folder: Path) -> None:
    correct(folder, "version:", "# a remark\nversion:")
    assert read_from(folder)[0].digest == read_from(HERE)[0].digest


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("add: []", "add: [{day: 2027-12-09}]", "workdays.yaml:10:7: 'decree' is missing; add it"),
        ("add: []", "ad: []", "workdays.yaml:10:1: 'ad' is not known here; did you mean 'add'?"),
        (
            "add: []",
            'add: [{day: 2027-02-30, decree: "SKB"}]',
            "workdays.yaml:10:8: '2027-02-30' is not a day of the calendar; write YYYY-MM-DD",
        ),
        (
            "decreed: [2014, 2027]",
            "decreed: [2027, 2014]",
            "workdays.yaml:9:1: is not a first and a last year; write for example [2014, 2027]",
        ),
    ],
)
def test_a_mistake_in_the_corrections_names_its_place(folder: Path, old: str, new: str, says: str) -> None:
    correct(folder, old, new)
    assert says in read_from(folder)[1]


def test_a_mistake_in_the_file_of_holidays_names_its_line(folder: Path) -> None:
    (folder / "holidays.csv").write_text("2014-01-01,Tahun Baru\n2014-13-01,Salah\n", encoding="utf-8")
    assert read_from(folder)[1] == [
        "holidays.csv:1:1: does not name the version of holidays; make the file anew",
        "holidays.csv:2:1: is not a day and its name; make the file anew",
    ]
