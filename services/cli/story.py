"""Turns the story of a case into lines a person can read; pure, so that it can be compared with a text file."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from contracts import regions
from services.cli.alike import entries_alike, persons_alike

Document = dict[str, Any]


def story(document: Document) -> Iterator[str]:
    """The lines of `GET /v1/operator/cases/{id}`: what happened, then for each person who acts now, later, or not."""
    yield f"Case {document['case_id']}  ({document['ticket']})"
    local = partial(local_time, region=document["region"])
    yield f"{_region(document['region'])}, opened {local(document['opened_at'])}, {document['state']}"
    yield from _links(document)
    yield ""
    yield "What happened"
    for entry in entries_alike(document["timeline"]):
        yield f"  {local(entry['at'])}  {entry['who'] or '-'}: {entry['what']}"
        if entry["why"]:
            yield f"    why: {entry['why']}"
    if document.get("next_cursor"):
        total = document["total"]
        yield f"  … of {total['reports']} reports and {total['notices']} e-mails; more: --cursor {document['next_cursor']}"
    decision = document.get("decision") or {}
    if decision:
        yield ""
        yield from _admissibility(decision)
    yield from matters_lines(document.get("persons", ()))
    for refs, person in persons_alike(_as_it_stands(document, decision)):
        yield ""
        yield from _person({**person, "ref": refs}, stepped=bool(document.get("step")))


def _links(document: Document) -> Iterator[str]:
    """How the case belongs to others: what it repeats, what repeats it, and by which ticket it was asked for."""
    if through := document.get("through"):
        yield f"Asked for by {through['ticket']}: its case {through['case_id']} is linked to this one"
    if root := document.get("duplicate_of"):
        yield f"Linked as a duplicate to {root['case_id']} ({root['ticket']}); VOID of its step LINK takes it back"
    if duplicates := document.get("duplicates"):
        reports = len(document["reports"])
        yield f"Duplicates linked to it: {', '.join(row['ticket'] for row in duplicates)}; {reports} reports in all"


def _admissibility(decision: Document) -> Iterator[str]:
    book, found = decision["rulebook"], decision["admissibility"]
    yield f"Decided by {book['id']} {book['version']}, handled on {decision['handled_on']}"
    late = "late" if found["late"] else "in time"
    defects = f"; defects: {', '.join(found['defects'])}" if found["defects"] else ""
    yield f"  track {found['track']}, {late} (limit {found['limit_on']}; {_basis(found)}){defects}"


def matters_lines(matters: Iterable[Document]) -> Iterator[str]:
    """Where every person's matter stands, once for all who stand alike."""
    for refs, matter in persons_alike(matters, "since", "assignments"):
        yield from _matter({**matter, "ref": refs})


def _matter(matter: Document) -> Iterator[str]:
    """Where a person's matter stands: its state, who must act next and since when, and the limits that run."""
    owner = matter["owner"]
    who = (
        f"{owner['agency']} ({_office(owner['office'])}), {owner['why']}" if owner else "nobody, it is closed"
    )
    yield f"{matter['ref']}: {matter['state']} ({matter['label']['id']}); must act next: {who}"
    if matter.get("queue"):
        yield f"  in the operator's queue: {matter['queue']['id']} / {matter['queue']['en']}"
    if matter.get("alarm"):
        yield f"  to be settled by {matter['alarm']['last_day']}"
    if marks := [f"{mark['code']} ({mark['id']})" for mark in matter.get("marks", ())]:
        yield f"  known: {', '.join(marks)}"
    for question in matter.get("questions", ()):
        yield f"  a person has to decide: {question}"
    for due in matter["dues"]:
        yield f"  {due['agency']}: last day {due['last_day']}, counted from {due['since']}"


def _as_it_stands(document: Document, decision: Document) -> Iterator[Document]:
    """Every person as it was decided; after steps with the parts, stage and class it has now."""
    now = {matter["ref"]: matter for matter in document.get("persons", ())} if document.get("step") else {}
    for person in decision.get("persons", ()):
        matter = now.get(person["ref"], {})
        known = {name: matter[name] for name in ("stage", "class", "assignments") if name in matter}
        told = {part["agency"] for part in (known or person)["assignments"]}
        others = [item for item in person["not_assigned"] if item["agency"] not in told]
        yield {**person, **known, "not_assigned": others}


def _person(person: Document, *, stepped: bool) -> Iterator[str]:
    yield f"Person {person['ref']}: stage {person['stage']}, class {person['class']}"
    now = [item for item in person["assignments"] if item.get("active")]
    later = [item for item in person["assignments"] if not item.get("active")]
    yield from _listed("Now", (line for item in now for line in _assignment(item)))
    yield from _listed(
        "At other events" if stepped else "At a later event",
        (line for item in later for line in _assignment(item)),
    )
    yield from _listed(
        "Deliberately not told", (line for item in person["not_assigned"] for line in _obstacles(item))
    )
    yield from _listed(
        "A person has to decide", (f"{item['question']} ({item['rule']})" for item in person["review"])
    )


def _listed(title: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"  {title}"
        yield f"    {line}"


def _assignment(item: Document) -> Iterator[str]:
    limit = deadline_in_words(item["deadline"])
    yield f"{item['when']}: {item['agency']} ({_office(item['office'])}), {item['role']}"
    yield f"  rule {item['rule']}; {_basis(item)}" + (f"; {limit}" if limit else "")


def _obstacles(item: Document) -> Iterator[str]:
    reasons = [
        f"{part['fact']} is {part['is']}, needs {' or '.join(part['needs'])}" for part in item["because"]
    ]
    rule = f" ({item['rule']})" if item["rule"] else ""
    yield f"{item['agency']}: {'; '.join(reasons) or 'no rule names it'}{rule}"


def _basis(item: Document) -> str:
    return ", ".join(item["basis"]) or "no basis named"


def deadline_in_words(deadline: Document | None) -> str:
    """`within 14 working days of SUPERVISOR_CONCLUDED`, or nothing."""
    if deadline is None:
        return ""
    unit = str(deadline["unit"]).replace("_", " ").lower() + ("" if deadline["count"] == 1 else "s")
    return f"within {deadline['count']} {unit} of {deadline['since']}"


def _office(office: str | None) -> str:
    try:
        return regions.label_of(office)
    except KeyError:
        return str(office)


def _region(code: str) -> str:
    try:
        return regions.name_of(code)
    except KeyError:
        return code


def local_time(instant: str, region: str) -> str:
    """An instant as clocks at the place show it: `2024-10-31 10:00:00 WITA`."""
    try:
        zone: tzinfo = regions.zone_of(region)
        name = regions.find(region).zone
    except KeyError:
        zone, name = UTC, "UTC"
    return f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M:%S} {name}"
