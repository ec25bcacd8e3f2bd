"""Which case a report belongs to: exact copies of one report derive the same case, everything else its own."""

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from contracts.codes import Channel, ReporterKind
from contracts.facts import PersonFacts, ReportFacts
from contracts.ids import case_id_of, case_id_of_key
from contracts.report import Person, Report

_EVENT = {
    "election",
    "election_year",
    "election_office",
    "psu",
    "occurred_on",
    "region",
    "online",
}
_written = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=date.isoformat).encode
_PERSON = {"status", "post", "post_kind", "employer", "employer_region", "numbered"}


def case_id_for(report: Report, facts: ReportFacts, door_key: bytes, report_id: UUID) -> UUID:
    """The case of a report. It needs no look at other reports, so copies accepted at one instant meet without a lock.

    `facts` are those of `report`, with its persons in the same order.
    """
    key = _exact_key(report, facts)
    return case_id_of(report_id) if key is None else case_id_of_key(door_key, key)


def _exact_key(report: Report, facts: ReportFacts) -> str | None:
    """Who did what where and when, in one spelling; None if a person is neither numbered nor named.

    The reporter, the words, the evidence and the days of knowing and reporting differ between copies of one event. An
    anonymous report is kept apart from named ones: it is another track, and the first report decides for all.
    """
    identities = [(person.nip or "", _name(person)) for person in report.persons]
    if not all(map(any, identities)):
        return None
    acts: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for act in facts.acts:
        acts[act.person].add((act.code.value, act.beneficiary.value))
    persons = (
        _person(identity, person, acts[person.ref])
        for identity, person in zip(identities, facts.persons, strict=True)
    )
    event: dict[str, Any] = {name: getattr(facts, name) for name in _EVENT}
    event["regions_touched"] = sorted(set(facts.regions_touched))
    event["sbt"] = facts.channel is Channel.SBT
    event["anonymous"] = facts.reporter is ReporterKind.ANONYMOUS
    return _written({**event, "persons": sorted(map(_written, persons))})


def _person(identity: tuple[str, str], facts: PersonFacts, acts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    nip, name = identity
    said = {name: getattr(facts, name) for name in _PERSON}
    return {**said, "nip": nip, "name": name, "acts": sorted(acts)}


def _name(person: Person) -> str:
    """A name without the accidents of writing: width, composition, capitals, blanks. Titles and marks stay."""
    return " ".join(unicodedata.normalize("NFKC", person.name or "").casefold().split())
