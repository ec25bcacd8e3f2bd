"""Reads what comes from outside: bytes to JSON to a report or a list of progress events, or every fault at once."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.faults import Fault, InvalidDocument, faults_of
from contracts.progress import Progress
from contracts.report import Report

MAX_BYTES = 1_048_576
"""The largest report document, in bytes."""

_REPORT = TypeAdapter(Report)


def read_json(raw: bytes) -> Any:
    """The JSON value in `raw` (RFC 8259, UTF-8). Raises InvalidDocument; duplicate names and NaN are faults."""
    try:
        return json.loads(
            raw.decode("utf-8-sig"), object_pairs_hook=_no_duplicates, parse_constant=_no_constants
        )
    except UnicodeDecodeError:
        raise InvalidDocument([Fault((), "is not UTF-8 text; save it as UTF-8")]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidDocument(
            [Fault((), f"is not JSON ({where}); check the quotes and commas there")]
        ) from None
    except RecursionError:
        raise InvalidDocument([Fault((), "is nested too deeply; a report has four levels")]) from None
    except _Unreadable as problem:
        raise InvalidDocument([Fault((), str(problem))]) from None
    except ValueError:
        raise InvalidDocument([Fault((), "holds a number with too many digits; shorten it")]) from None


def read_report(raw: Any, today: date) -> Report:
    """The report in a parsed JSON value. `today` is the day at the place; later dates are faults.

    Raises InvalidDocument with every fault, those of form and those of meaning together.
    """
    faults: list[Fault] = []
    report: Report | None = None
    try:
        report = _REPORT.validate_python(raw)
    except ValidationError as error:
        faults += faults_of(error, Report, raw)
    except RecursionError:
        faults.append(Fault((), "is nested too deeply; a report has four levels"))
    named = {fault.path for fault in faults}
    faults += [fault for fault in _faults_of_meaning(raw, today) if fault.path not in named]
    if faults or report is None:
        raise InvalidDocument(faults)
    return report


def read_progress(raw: Any) -> tuple[Progress, ...]:
    """The progress events in a parsed JSON list, in their order. Raises InvalidDocument."""
    if not isinstance(raw, list):
        raise InvalidDocument([Fault(("progress",), "is not a list; write a JSON array of progress events")])
    faults: list[Fault] = []
    events: list[Progress] = []
    for number, item in enumerate(raw):
        try:
            events.append(Progress.model_validate(item))
        except ValidationError as error:
            found = faults_of(error, Progress, item)
            faults += [Fault(("progress", number, *f.path), f.says, f.got) for f in found]
    if faults:
        raise InvalidDocument(faults)
    return tuple(events)


def _faults_of_meaning(raw: Any, today: date) -> Iterator[Fault]:
    if not isinstance(raw, dict):
        return
    yield from _date_faults(raw, today)
    yield from _reference_faults(raw)


def _date_faults(raw: dict[str, Any], today: date) -> Iterator[Fault]:
    incident = raw.get("incident")
    incident = incident if isinstance(incident, dict) else {}
    days = {
        ("incident", "occurred_on"): _day(incident.get("occurred_on")),
        ("incident", "known_on"): _day(incident.get("known_on")),
        ("reported_on",): _day(raw.get("reported_on")),
    }
    occurred, known, reported = days.values()
    for path, day in days.items():
        if day and day > today:
            yield Fault(path, f"lies in the future (today is {today}); write a day that has been")
    if occurred and known and known < occurred:
        yield Fault(
            ("incident", "known_on"), "is before incident.occurred_on; nobody knows of it before it happens"
        )
    if known and reported and reported < known:
        yield Fault(("reported_on",), "is before incident.known_on; a report follows the knowledge")


def _reference_faults(raw: dict[str, Any]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for number, ref in _texts(raw.get("persons"), "ref"):
        if ref in seen:
            yield Fault(
                ("persons", number, "ref"),
                f"is also the ref of person {seen[ref]}; give each person an own ref",
            )
        seen.setdefault(ref, number)
    for number, ref in _texts(raw.get("acts"), "person"):
        if ref not in seen:
            yield Fault(
                ("acts", number, "person"), "is the ref of no person; write one of the refs under persons"
            )


def _texts(items: Any, name: str) -> Iterator[tuple[int, str]]:
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict) and isinstance(item.get(name), str):
            yield number, item[name]


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


class _Unreadable(Exception):
    pass


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise _Unreadable(f"names the field '{twice[:60]}' twice in one object; keep one")
    return found


def _no_constants(name: str) -> Any:
    raise _Unreadable(f"holds {name}, which is not JSON; write a number or null")
