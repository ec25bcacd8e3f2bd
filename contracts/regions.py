"""The regions of Kemendagri: what a code means, which one replaced it, and by which clock it lives."""

import csv
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

EDITION = "Kepmendagri 300.2.2-2138/2025"
"""The decree whose list is the current edition."""

ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}

_PREFIX = "kemendagri:"
_SYSTEMS = {"bawaslu": "Bawaslu", "bps": "BPS", "bkn": "BKN"}
_NAMESPACED = re.compile(r"([A-Za-z]{2,20}):([0-9]{2,10}(?:\.[0-9]{2,4}){0,3})", re.ASCII)


@dataclass(frozen=True)
class Region:
    """A province or a regency/city; `code` is bare (`52.04`), `zone` is WIB, WITA or WIT.

    `since` and `until` bound the days when the place belonged to the province of this code, where known;
    `successors` are the bare codes that replaced a superseded one; `decree` is what made or moved it.
    """

    code: str
    name: str
    kind: str
    zone: str
    since: date | None
    until: date | None
    successors: tuple[str, ...]
    decree: str

    @property
    def current(self) -> bool:
        """Whether the code stands in the current edition."""
        return not self.successors


def find(code: str) -> Region:
    """The region of a namespaced code, superseded ones included. Raises KeyError for anything else."""
    return _regions()[bare(code)]


def bare(code: str) -> str:
    """`52.04` for `kemendagri:52.04`. Raises KeyError for a code of another system."""
    if not code.startswith(_PREFIX):
        raise KeyError(code)
    return code.removeprefix(_PREFIX)


def province_of(code: str) -> str:
    """The bare code of the province: `52` for `kemendagri:52.04` and for `kemendagri:52`."""
    return bare(code)[:2]


def is_province(code: str) -> bool:
    return "." not in bare(code)


def name_of(code: str) -> str:
    """The official name with its kind: `Kabupaten Sumbawa`, `Provinsi Bali`. Raises KeyError."""
    region = find(code)
    return f"Provinsi {region.name}" if region.kind == "PROVINSI" else region.name


def zone_of(code: str) -> ZoneInfo:
    """The time zone by which dates at the place are written. Raises KeyError for an unknown code."""
    return ZoneInfo(ZONES[find(code).zone])


def label_of(office: str | None) -> str:
    """An office of a decision for a reader: `Pusat`, `Provinsi Bali`, `Kabupaten Sumbawa`, or not known.

    Raises KeyError for an office that names no region of the list.
    """
    if office is None:
        return "belum diketahui"
    if office == "pusat":
        return "Pusat"
    level, _, code = office.partition(":")
    if level not in ("prov", "kabkota"):
        raise KeyError(office)
    return name_of(_PREFIX + code)


def problem_with(code: str) -> str | None:
    """What is wrong with a code in a report, in words that fit after the field's name; None if nothing.

    The text repeats what was written only where that is a well-formed code, so it carries no personal data.
    """
    match = _NAMESPACED.fullmatch(code)
    if match is None:
        return _unreadable(code)
    system, number = match.groups()
    if system != "kemendagri":
        return _of_another_system(system.lower(), number)
    region = _regions().get(number)
    if region is None:
        return _unknown(number)
    return None if region.current else f"is superseded; write {_named(region.successors)} ({region.decree})"


def _unreadable(code: str) -> str:
    if not code.isascii():
        return "holds characters that are not ASCII; write kemendagri:PP.KK with the digits 0 to 9"
    if code in _regions():
        return f"is not a namespaced region code; write kemendagri:{code}"
    return "is not a namespaced region code; write kemendagri:PP or kemendagri:PP.KK"


def _of_another_system(system: str, number: str) -> str:
    if system == "kemendagri":
        return f"has its namespace in capitals; write kemendagri:{number}"
    if system not in _SYSTEMS:
        return "belongs to a code system that is not known here; translate it to kemendagri:PP.KK"
    same = _crosswalk().get((system, number))
    cure = f"the same place is {_PREFIX}{same}" if same else "translate it to kemendagri:PP.KK"
    return f"belongs to the code system of {_SYSTEMS[system]}; {cure}"


def _unknown(number: str) -> str:
    digits = number.replace(".", "")
    dotted = f"{digits[:2]}.{digits[2:4]}"
    if len(digits) >= 4 and dotted in _regions():
        finer = (
            "names a district or village, finer than a report needs" if len(digits) > 4 else "lacks its dot"
        )
        return f"{finer}; write {_named(_regions()[dotted].successors or (dotted,))}"
    near = _nearest(number)
    cure = f"did you mean {_named((near,))}?" if near else "look it up in that list"
    return f"is not in the current edition ({EDITION}); {cure}"


def _nearest(number: str) -> str | None:
    """The code of the same province that differs in one digit; of several, the nearest number."""
    one_off = [
        code
        for code, region in _regions().items()
        if region.current
        and code[:3] == number[:3]
        and len(code) == len(number)
        and sum(a != b for a, b in zip(code, number, strict=True)) == 1
    ]
    return min(one_off, key=lambda code: abs(int(code[3:]) - int(number[3:])), default=None)


def _named(codes: tuple[str, ...]) -> str:
    return " or ".join(f"{_PREFIX}{code} ({name_of(_PREFIX + code)})" for code in codes)


@lru_cache(maxsize=1)
def _regions() -> dict[str, Region]:
    return {row["code"]: _region(row) for row in _rows("regions.csv")}


@lru_cache(maxsize=1)
def _crosswalk() -> dict[tuple[str, str], str]:
    return {(row["system"], row["code"]): row["kemendagri"] for row in _rows("crosswalk.csv")}


def _region(row: dict[str, str]) -> Region:
    return Region(
        code=row["code"],
        name=row["name"],
        kind=row["kind"],
        zone=row["zone"],
        since=_day(row["from"]),
        until=_day(row["until"]),
        successors=tuple(row["successors"].split()),
        decree=row["decree"],
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _rows(name: str) -> list[dict[str, str]]:
    text = files("contracts").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
