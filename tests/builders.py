"""Documents that are valid by default and changed by keyword."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

from contracts.codes import OPENED
from contracts.decision import Assignment, Decision
from contracts.door import read_progress, read_report
from contracts.facts import facts_of
from services.routing.core.decide import Judge

TODAY = date(2026, 11, 24)

_REPORT: dict[str, Any] = {
    "schema": "netral.report.v1",
    "reported_on": "2024-10-25",
    "election": {"kind": "PILKADA", "year": 2024, "office": "BUPATI"},
    "incident": {"occurred_on": "2024-10-22", "known_on": "2024-10-23", "region": "kemendagri:52.04"},
    "persons": [
        {
            "ref": "p1",
            "nip": "198609262015051001",
            "status": "PNS",
            "post": "GURU",
            "post_kind": "FUNGSIONAL",
            "employer": {"kind": "KABUPATEN", "region": "kemendagri:52.04"},
        }
    ],
    "acts": [{"person": "p1", "code": "PHOTO_WITH_CANDIDATE", "beneficiary": "CALON"}],
    "narrative": "Foto dengan nomor urut.",
    "evidence": [{"sha256": "a" * 64, "media_type": "image/jpeg", "size": 48213}],
    "reporter": {"kind": "VOTER", "name": "Pelapor (disamarkan)", "address": "Alamat (disamarkan)"},
    "source": {"channel": "WEB"},
}


def a_report(**changed: Any) -> dict[str, Any]:
    """A report document; `incident__region="…"` changes a nested field, `person__status="…"` the only person."""
    document = copy.deepcopy(_REPORT)
    for path, value in changed.items():
        _set(document, path.split("__"), value)
    return document


def decided(
    judge: Judge, report: dict[str, Any], handled_on: str, progress: list[dict[str, Any]] | None = None
) -> Decision:
    """The decision on a report document handled on a day."""
    day = date.fromisoformat(handled_on)
    events = None if progress is None else read_progress(progress)
    return judge.decide(facts_of(read_report(report, TODAY), day, keep_refs=True), day, events)


def parts(decision: Decision, ref: str = "p1") -> set[tuple[str, str, str]]:
    """The (agency, role, when) triples of one person."""
    return {(a.agency.value, a.role.value, a.when) for a in of(decision, ref)}


def of(decision: Decision, ref: str = "p1") -> tuple[Assignment, ...]:
    return next(person.assignments for person in decision.persons if person.ref == ref)


def openers(decision: Decision, ref: str = "p1") -> set[str]:
    """The agencies that have a part from the opening on."""
    return {a.agency.value for a in of(decision, ref) if a.when == OPENED}


def read_case(path: Path) -> dict[str, Any]:
    """A signed case of tests/cases with its report document."""
    return {
        **json.loads(path.read_text()),
        "report": json.loads((path.parent / "reports" / path.name).read_text()),
    }


def _set(document: dict[str, Any], path: list[str], value: Any) -> None:
    place: Any = document
    names = {"person": ("persons", 0), "act": ("acts", 0)}
    for name in path[:-1]:
        for step in names.get(name, (name,)):
            place = place[step]
    place[path[-1]] = value
