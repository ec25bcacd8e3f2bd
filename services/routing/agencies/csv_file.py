"""Reads the directory from a CSV file that a person can read."""

import re
from collections import defaultdict
from importlib.resources import files

from contracts import regions
from contracts.codes import Agency
from contracts.directory import (
    WHOLE,
    Digest,
    Entries,
    Kind,
    Level,
    Name,
    Place,
    Road,
    Term,
    level_of,
    overlapping,
    region_of,
)
from services.routing.agencies.csv_cells import BrokenFile, Row, rows_of

COLUMNS = (
    "agency",
    "office",
    "name_id",
    "name_en",
    "kind",
    "level",
    "region",
    "valid_from",
    "valid_until",
    "successor",
    "duty_address",
    "language",
    "zone",
    "channels",
    "digest",
    "covers",
    "source",
)
REQUIRED = ("agency", "office", "name_id", "name_en", "kind", "level", "valid_from", "channels")
OFFICE_CURE = f"write pusat, prov:PP, kabkota:PP.KK, kanreg:NN, or {WHOLE} for the body as a whole"
_MAILBOX = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)


def packaged() -> Entries:
    """The directory that ships with Netral: a working example whose mailboxes reach nobody."""
    return read_directory(files("contracts").joinpath("data", "agencies.csv").read_bytes())


def read_directory(raw: bytes) -> Entries:
    """The offices of a file, each with its terms in order of time. Raises BrokenFile with every fault."""
    faults: list[str] = []
    found: dict[Place, list[tuple[int, Term]]] = defaultdict(list)
    for row in rows_of(raw, COLUMNS, REQUIRED, faults):
        place, term = _place(row), _term(row)
        if place and term:
            found[place].append((row.line, term))
    for place, lines in found.items():
        if day := overlapping(term for _, term in lines):
            where = max(line for line, term in lines if term.valid_from == day)
            faults.append(
                f"line {where}, column valid_from: {place} has two terms on {day}; end the earlier one before"
            )
    if not found and not faults:
        faults.append("line 2, column agency: there is no office; write one on each line")
    if faults:
        raise BrokenFile(sorted(faults, key=_line))
    return {
        place: tuple(sorted((term for _, term in lines), key=lambda term: term.valid_from))
        for place, lines in found.items()
    }


def _line(fault: str) -> int:
    return int(fault.split(",", 1)[0].removeprefix("line "))


def _place(row: Row) -> Place | None:
    agency, office = row.code("agency", Agency), row.cells["office"]
    known = row.checked("office", office, level_of, OFFICE_CURE)
    return Place(agency, office) if agency and known else None


def _term(row: Row) -> Term | None:
    before, cells = len(row.faults), row.cells
    first, last = row.day("valid_from"), row.day("valid_until")
    if first and last and last < first:
        row.fault("valid_until", "is before valid_from; the last day follows the first")
    covers = tuple(cells["covers"].split())
    for office in covers:
        row.checked("covers", office, level_of, OFFICE_CURE)
    region, channels = _region(row), row.codes("channels", Road)
    zone = row.one_of("zone", tuple(regions.ZONES))
    found = {
        "valid_from": first,
        "valid_until": last,
        "name": Name(id=cells["name_id"], en=cells["name_en"]),
        "kind": row.code("kind", Kind),
        "level": _level(row),
        "region": region,
        "duty_address": _address(row, channels),
        "language": row.one_of("language", ("id", "en")) or "id",
        "zone": zone or (regions.find(region).zone if region else "WIB"),
        "channels": channels,
        "digest": row.code("digest", Digest, Digest.NONE),
        "covers": covers,
        "successor": _successor(row),
        "source": cells["source"] or None,
    }
    return Term.model_validate(found) if len(row.faults) == before else None


def _level(row: Row) -> Level | None:
    level = row.code("level", Level)
    try:
        said = level_of(row.cells["office"])
    except KeyError:
        return level  # the office itself is at fault, and that is said
    if level and said and level is not said:
        row.fault("level", f"is {level}, but the office is of level {said}; mend one of them")
    return level


def _region(row: Row) -> str | None:
    """The region of the cell, or the one the office code names; both must be the same."""
    text, said = row.cells["region"], region_of(row.cells["office"])
    if text and (says := regions.problem_with(text)):
        row.fault("region", says)
        return None
    if text and said and text != said:
        row.fault("region", f"is {text}, but the office lies in {said}; mend one of them")
        return None
    found = text or said
    return None if found and regions.problem_with(found) else found


def _address(row: Row, channels: tuple[Road, ...]) -> str | None:
    """A role mailbox. An office that wants e-mail has one; the agency's own may stand in for it."""
    text = row.cells["duty_address"]
    if text and not _MAILBOX.fullmatch(text):
        row.fault("duty_address", "is not a mail address; write one like piket@example.go.id")
        return None
    if not text and Road.EMAIL in channels and row.cells["office"] == WHOLE:
        row.fault("duty_address", "is missing although channels names EMAIL; give a role mailbox")
    return text or None


def _successor(row: Row) -> str | None:
    text = row.cells["successor"]
    if not text:
        return None
    agency, _, office = text.partition("/")
    if agency not in list(Agency):
        row.fault("successor", f"'{agency[:40]}' is not an agency; write one of {', '.join(Agency)}")
    elif office:
        row.checked("successor", office, level_of, OFFICE_CURE)
    return text
