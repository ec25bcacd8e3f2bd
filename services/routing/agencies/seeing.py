"""What a body may see of a report, by its role: the stakeholder matrix as data (contracts/data/visibility.csv); pure.

`viewers.csv` says to which group an agency belongs in each role, `visibility.csv` which field a group sees `full`,
`masked` or not at all. What stands in neither is not shown. The reporter's identity has no row: it never gets here.
"""

import csv
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

FULL, MASKED = "full", "masked"
_RANK = {FULL: 2, MASKED: 1}
_OPEN_DIGITS = 2
"""Digits of a masked number that are shown, from its end: enough to tell two apart, nothing of a birth date."""

Groups = Iterable[str]


@lru_cache(maxsize=1)
def matrix() -> dict[str, dict[str, str]]:
    """For every field, what each group sees of it."""
    rows = _rows("visibility.csv")
    return {row["field"]: {name: row[name] for name in row if name not in ("field", "why")} for row in rows}


@lru_cache(maxsize=1)
def viewers() -> dict[tuple[str, str], str]:
    """The group of every agency and role."""
    return {(row["agency"], row["role"]): row["group"] for row in _rows("viewers.csv")}


def sight_of(field: str, groups: Groups) -> str | None:
    """What these groups together see of a field: `full`, `masked`, or None."""
    cells = [matrix().get(field, {}).get(group, "-") for group in groups]
    return max((cell for cell in cells if cell in _RANK), key=_RANK.__getitem__, default=None)


def seen(dossier: Mapping[str, Any], groups: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """The report as a body sees it, and which fields were withheld. `groups` are its groups for each person (`p1`, …).

    Persons it has no part in, and their acts, are left out. Of the case as a whole it sees what any of its groups sees.
    """
    refs = {theirs: ours for ours, theirs in dossier["refs"].items() if ours in groups}
    together = frozenset(group for found in groups.values() for group in found)
    report, withheld = dossier["report"], set[str]()
    persons = [
        _fields("persons", {**person, "ref": refs[person["ref"]]}, groups[refs[person["ref"]]], withheld)
        for person in report["persons"]
        if person["ref"] in refs
    ]
    acts = [
        _fields("acts", {**act, "person": refs[act["person"]]}, groups[refs[act["person"]]], withheld)
        for act in report["acts"]
        if act["person"] in refs
    ]
    shown = {"persons": persons, "acts": acts}
    for name, value in report.items():
        if name in shown or value is None:
            continue
        part = _part(name, value, together, withheld)
        if part not in (None, {}, [], [{}]):
            shown[name] = part
    return {**shown, "withheld": sorted(withheld)}


def _part(name: str, value: Any, groups: Groups, withheld: set[str]) -> Any:
    if name in matrix():
        return _value(name, value, groups, withheld)
    if isinstance(value, dict):
        return _fields(name, value, groups, withheld)
    if isinstance(value, list):
        return [_fields(name, item, groups, withheld) for item in value if isinstance(item, dict)]
    withheld.add(name)
    return None


def _fields(root: str, value: dict[str, Any], groups: Groups, withheld: set[str]) -> dict[str, Any]:
    found = {
        name: _value(f"{root}.{name}", part, groups, withheld)
        for name, part in value.items()
        if part is not None
    }
    return {name: part for name, part in found.items() if part is not None}


def _value(field: str, value: Any, groups: Groups, withheld: set[str]) -> Any:
    sight = sight_of(field, groups)
    if sight == FULL:
        return value
    withheld.add(field)
    return _masked(value) if sight == MASKED and isinstance(value, str) else None


def _masked(text: str) -> str:
    return "*" * max(0, len(text) - _OPEN_DIGITS) + text[-_OPEN_DIGITS:]


def _rows(name: str) -> list[dict[str, str]]:
    text = files("contracts").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
