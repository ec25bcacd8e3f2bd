"""`netral decide`: one report in, one decision out, without any server (contract.md, part 3)."""

import re
from datetime import date
from typing import Any

from contracts.door import read_json, read_progress, read_report
from contracts.facts import facts_of
from contracts.faults import Fault, InvalidDocument
from contracts.progress import Progress
from contracts.report import Report
from services.cli.console import printable, write_json
from services.cli.errors import BAD_INPUT, Stop
from services.cli.reading import read_bytes
from services.intake.core.acceptance import zone_at
from services.routing.deciding import load_judge
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.clock import Clock, now

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def decide(report: str, handled_on: str | None, progress: str | None, *, clock: Clock = now) -> None:
    """Print the decision. Raises Stop: exit code 2 with every fault of both documents."""
    if report == progress == "-":
        raise Stop(
            "--progress: standard input already gives the report; write one of the two to a file", BAD_INPUT
        )
    wanted = _handling_day(handled_on)
    raw_report, raw_progress = read_bytes(report), None if progress is None else read_bytes(progress)
    faults: list[Fault] = []
    document = _parsed(raw_report, (), faults)
    today = clock().astimezone(zone_at(document)).date()
    valid = None if faults else _report(document, today, faults)
    events = None if raw_progress is None else _events(raw_progress, valid, today, faults)
    if valid is None or faults:
        raise Stop("\n".join(printable(str(fault)) for fault in faults), BAD_INPUT)
    day = wanted or today
    write_json(_judge().decide(facts_of(valid, day, keep_refs=True), day, events).document())


def _judge() -> Any:
    try:
        return load_judge()
    except BrokenRulebook as problem:
        raise Stop(str(problem)) from problem


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


def _handling_day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Stop(f"--handled-on: {text[:40]!r} is not a day of the calendar; write it as YYYY-MM-DD", BAD_INPUT)
