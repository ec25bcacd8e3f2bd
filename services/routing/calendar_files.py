"""Reads the election calendars and the days off, or says every mistake with file:line:column."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TypeVar

from contracts import regions
from contracts.codes import ElectionKind, ElectionOffice
from contracts.decision import CalendarRef
from services.routing.core.stages import Calendars, Election, Expected, Span
from services.routing.core.workdays import WorkCalendar
from services.routing.workday_files import read_workdays, years_of
from services.routing.yaml_nodes import BrokenRulebook, Node, RuleFault, read

HERE = Path(__file__).parent / "calendars"
ELECTIONS = "elections.yaml"
FILES = (ELECTIONS, "holidays.csv", "workdays.yaml")

_NEEDED = ("election", "polling", "decree", "source", "confidence", "checked_on")
_OPTIONAL = ("offices", "regions", "psu", "designation", "campaign", "quiet", "note")
_EXPECTED = ("kind", "years", "decree", "source", "note")
_T = TypeVar("_T")


def load_calendars(folder: Path = HERE) -> tuple[Calendars, WorkCalendar]:
    """Both calendars of a folder. Raises BrokenRulebook with every mistake in its files."""
    return read_calendars(calendar_files(folder))


def calendar_files(folder: Path = HERE) -> dict[str, bytes]:
    """The files of a folder's calendars by name, those that are there."""
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}


def read_calendars(files: Mapping[str, bytes]) -> tuple[Calendars, WorkCalendar]:
    """Both calendars in files by name. Raises BrokenRulebook with every mistake in them."""
    needs = f"is missing; calendars have {', '.join(FILES)}"
    faults = [RuleFault(name, needs) for name in FILES if name not in files]
    faults += [
        RuleFault(name, f"is no file of calendars; they have {', '.join(FILES)}")
        for name in sorted(files.keys() - set(FILES))
    ]
    if faults:
        raise BrokenRulebook(faults)
    elections, workdays = _elections(files[ELECTIONS], faults), read_workdays(files, faults)
    if faults:
        raise BrokenRulebook(dict.fromkeys(faults))
    return elections, workdays


def reference(calendars: Calendars, workdays: WorkCalendar) -> CalendarRef:
    """What a decision records of the calendars it was made with."""
    both = hashlib.sha256(f"{calendars.digest}\n{workdays.digest}".encode()).hexdigest()
    return CalendarRef(version=f"elections-{calendars.version} {workdays.version}", digest=f"sha256:{both}")


def _elections(raw: bytes, faults: list[RuleFault]) -> Calendars:
    needed = ("version", "elections", "expected")
    parts = read(ELECTIONS, raw, faults).entries(needed, needed)
    if any(name not in parts for name in needed):
        return Calendars("", "", ())
    return Calendars(
        version=parts["version"].text(),
        digest=f"sha256:{hashlib.sha256(raw).hexdigest()}",
        elections=tuple(_each(parts["elections"], _election)),
        expected=tuple(_each(parts["expected"], _expected)),
    )


def _each(node: Node, reader: Callable[[Node], _T | None]) -> list[_T]:
    return [found for item in node.items() if (found := reader(item)) is not None]


def _election(node: Node) -> Election | None:
    parts = node.entries((*_NEEDED, *_OPTIONAL), _NEEDED)
    if any(name not in parts for name in _NEEDED):
        return None
    _provenance(parts)
    kind, year = _kind_and_year(parts["election"])
    election = Election(
        kind=kind,
        year=year,
        offices=frozenset(_each(parts["offices"], _office)) if "offices" in parts else frozenset(),
        regions=frozenset(_each(parts["regions"], _region)) if "regions" in parts else frozenset(),
        psu=parts["psu"].flag() if "psu" in parts else False,
        designation=parts["designation"].day() if "designation" in parts else None,
        campaign=_span(parts["campaign"]) if "campaign" in parts else None,
        quiet=_span(parts["quiet"]) if "quiet" in parts else None,
        polling=parts["polling"].day(),
        note=_note(parts["note"]) if "note" in parts else None,
    )
    for problem in _problems(election):
        node.fault(problem)
    return election


def _problems(election: Election) -> list[str]:
    """A main election has every stage and no gap; a re-vote may lack stages, but not turn them round."""
    problems = []
    if election.psu and (election.designation or not election.regions):
        problems.append("is a re-vote; give it regions, and no designation of its own")
    if not election.psu and not (election.designation and election.campaign and election.quiet):
        problems.append("lacks a stage; give it designation, campaign and quiet")
    spans = [span for span in (election.campaign, election.quiet) if span]
    days = [election.designation or date.min, *(day for span in spans for day in (span.first, span.last))]
    if days != sorted(days) or days[-1] >= election.polling:
        problems.append("has its days out of order; first designation, then campaign, quiet and polling")
    starts = [*(span.first for span in spans[1:]), election.polling]
    if any((start - span.last).days > 1 for span, start in zip(spans, starts, strict=False)):
        problems.append("leaves a gap; campaign, quiet and polling each begin the day after the one before")
    return problems


def _expected(node: Node) -> Expected | None:
    parts = node.entries(_EXPECTED, _EXPECTED)
    if any(name not in parts for name in _EXPECTED):
        return None
    _provenance(parts)
    kind = ElectionKind(parts["kind"].one_of(ElectionKind, "a kind of election"))
    return Expected(kind, years_of(parts["years"]), _note(parts["note"]))


def _provenance(parts: dict[str, Node]) -> None:
    """Who says so: not used in a decision, but no date is accepted without it."""
    parts["decree"].text()
    sources = parts["source"].items()
    if not sources:
        parts["source"].fault("names no source; add where the dates are printed")
    for source in sources:
        source.text()
    if "confidence" in parts:
        parts["confidence"].one_of(("H", "M", "K"), "a confidence")
    if "checked_on" in parts:
        parts["checked_on"].day()


def _kind_and_year(node: Node) -> tuple[ElectionKind, int]:
    kind, _, year = node.text().partition(" ")
    if kind not in set(ElectionKind) or not (year.isascii() and year.isdigit() and len(year) == 4):
        node.fault("is not an election; write for example PILKADA 2024")
        return ElectionKind.PEMILU, 0
    return ElectionKind(kind), int(year)


def _office(node: Node) -> ElectionOffice:
    return ElectionOffice(node.one_of(ElectionOffice, "an office"))


def _region(node: Node) -> str:
    problem = regions.problem_with(node.text())
    if problem:
        node.fault(problem)
    return node.text()


def _span(node: Node) -> Span:
    days = [item.day() for item in node.items()]
    if len(days) != 2:
        node.fault("is not a first and a last day; write [2024-09-25, 2024-11-23]")
        return Span(date.min, date.min)
    return Span(*days)


def _note(node: Node) -> str:
    parts = node.entries(("id", "en"), ("id", "en"))
    return " / ".join(parts[name].text() for name in ("id", "en") if name in parts)
