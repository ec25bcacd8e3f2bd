"""Reads a report and its progress events from files, as `decide` and `explain` need them, with every fault named."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.door import read_json, read_progress, read_report
from contracts.facts import ReportFacts, facts_of
from contracts.faults import Fault, InvalidDocument
from contracts.progress import Progress
from contracts.report import Report
from services.cli.console import printable
from services.cli.errors import BAD_INPUT, Stop
from services.cli.reading import read_bytes
from services.intake.core.acceptance import zone_at
from services.routing.core.decide import Judge
from services.routing.deciding import load_judge
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.clock import Clock, now

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class CaseFile:
    """What a decision is made of besides the rulebook; `progress` is None where no file was named."""

    facts: ReportFacts
    handled_on: date
    progress: tuple[Progress, ...] | None


def read_case(report: str, handled_on: str | None, progress: str | None, *, clock: Clock = now) -> CaseFile:
    """The case of a report file. Raises Stop: exit code 2 with every fault of both documents."""
    if report == progress == "-":
        raise Stop(
            "--progress: standard input already gives the report; write one of the two to a file", BAD_INPUT
        )
    wanted = None if handled_on is None else day_of(handled_on, "--handled-on")
    raw_report, raw_progress = read_bytes(report), None if progress is None else read_bytes(progress)
    faults: list[Fault] = []
    document = _parsed(raw_report, (), faults)
    today = clock().astimezone(zone_at(document)).date()
    valid = None if faults else _report(document, today, faults)
    events = None if raw_progress is None else _events(raw_progress, valid, today, faults)
    if valid is None or faults:
        raise Stop("\n".join(printable(str(fault)) for fault in faults), BAD_INPUT)
    day = wanted or today
    return CaseFile(facts_of(valid, day, keep_refs=True), day, events)


def judge() -> Judge:
    """The judge of the rulebook in use. Raises Stop."""
    try:
        return load_judge()
    except BrokenRulebook as problem:
        raise Stop(str(problem)) from problem


def day_of(text: str, option: str) -> date:
    """A day of the command line. Raises Stop (2) naming the option."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Stop(f"{option}: {text[:40]!r} is not a day of the calendar; write it as YYYY-MM-DD", BAD_INPUT)


def _parsed(raw: bytes, prefix: tuple[str, ...], faults: list[Fault]) -> Any:
    try:
        return read_json(raw)
    except InvalidDocument as invalid:
        faults += [Fault((*prefix, *fault.path), fault.says, fault.got) for fault in invalid.faults]
        return None


def _report(document: Any, today: date, faults: list[Fault]) -> Report | None:
    try:
        return read_report(document, today)
    except InvalidDocument as invalid:
        faults += invalid.faults
        return None


def _events(raw: bytes, report: Report | None, today: date, faults: list[Fault]) -> tuple[Progress, ...]:
    before = len(faults)
    document = _parsed(raw, ("progress",), faults)
    if len(faults) > before:
        return ()
    try:
        events = read_progress(document)
    except InvalidDocument as invalid:
        faults += invalid.faults
        return ()
    faults += _strangers(events, report) if report else ()
    faults += _future(events, today)
    return events


def _future(events: tuple[Progress, ...], today: date) -> list[Fault]:
    says = f"lies in the future (today is {today}); write a day that has been"
    return [
        Fault(("progress", number, "on"), says) for number, event in enumerate(events) if event.on > today
    ]


def _strangers(events: tuple[Progress, ...], report: Report) -> list[Fault]:
    refs = {person.ref for person in report.persons}
    says = (
        "is the ref of no person of the report; write one of the refs under persons, or leave it out for all"
    )
    return [
        Fault(("progress", number, "person"), says, event.person)
        for number, event in enumerate(events)
        if event.person is not None and event.person not in refs
    ]
