"""Reads the days off, or says every mistake with file:line:column; makes the file of holidays anew.

The holidays are a file made from the package `holidays`, whose import takes longer than reading all the rest.
`python -m services.routing.workday_files` writes it to standard output; a test compares the two.
"""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from datetime import date

from services.routing.core.workdays import WorkCalendar
from services.routing.yaml_nodes import Node, RuleFault, read

YEARS = range(2014, 2031)
"""The years the file of holidays covers."""


def read_workdays(files: Mapping[str, bytes], faults: list[RuleFault]) -> WorkCalendar:
    """The calendar of `holidays.csv` as corrected by `workdays.yaml`; mistakes are added to `faults`."""
    source, listed = _holidays("holidays.csv", files["holidays.csv"], faults)
    needed = ("version", "decreed", "add", "remove")
    parts = read("workdays.yaml", files["workdays.yaml"], faults).entries(needed, needed)
    if any(name not in parts for name in needed):
        return WorkCalendar("", "", frozenset(), frozenset())
    days = (listed | set(_corrections(parts["add"]))) - set(_corrections(parts["remove"]))
    decreed = years_of(parts["decreed"])
    if not faults and (bare := decreed - {day.year for day in days}):
        parts["decreed"].fault(f"names {min(bare)}, which has no day off; add its days or leave the year out")
    canonical = "\n".join([*map(str, sorted(decreed)), *map(str, sorted(days))])
    return WorkCalendar(
        version=f"holidays-{source} workdays-{parts['version'].text()}",
        digest=f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}",
        days_off=frozenset(days),
        decreed_years=decreed,
    )


def years_of(node: Node) -> frozenset[int]:
    """The years from the first to the last of `[2014, 2027]`."""
    years = [item.value for item in node.items()]
    if len(years) != 2 or not all(isinstance(year, int) for year in years) or years[0] > years[1]:
        node.fault("is not a first and a last year; write for example [2014, 2027]")
        return frozenset()
    return frozenset(range(years[0], years[1] + 1))


def holiday_list(years: range = YEARS) -> str:
    """What the package knows, as the text of `holidays.csv`: its version, then a day and its name a line."""
    import holidays  # noqa: PLC0415

    days = holidays.country_holidays("ID", years=years, categories=("public", "government"), language="id")
    lines = [f"{day},{name.replace(',', ';')}" for day, name in sorted(days.items())]
    return "\n".join([f"holidays,{holidays.__version__}", *lines]) + "\n"


def _holidays(name: str, raw: bytes, faults: list[RuleFault]) -> tuple[str, set[date]]:
    try:
        head, *lines = raw.decode("utf-8").splitlines() or [""]
    except UnicodeDecodeError:
        faults.append(RuleFault(f"{name}:1:1", "is not UTF-8; save the file as UTF-8"))
        return "", set()
    label, _, version = head.partition(",")
    if label != "holidays" or not version:
        faults.append(RuleFault(f"{name}:1:1", "does not name the version of holidays; make the file anew"))
    days = set[date]()
    for number, line in enumerate(lines, 2):
        try:
            days.add(date.fromisoformat(line.partition(",")[0]))
        except ValueError:
            faults.append(RuleFault(f"{name}:{number}:1", "is not a day and its name; make the file anew"))
    return version, days


def _corrections(node: Node) -> Iterator[date]:
    for item in node.items():
        entry = item.entries(("day", "decree", "name"), ("day", "decree"))
        if "day" in entry and "decree" in entry:
            entry["decree"].text()
            yield entry["day"].day()


if __name__ == "__main__":
    sys.stdout.write(holiday_list())
