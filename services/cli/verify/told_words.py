"""Checks that an office was told word for word what the record says that it was told of, and only its own."""

from collections.abc import Iterator
from typing import Any

from services.cli.verify.digests import digest
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, Person, Version
from services.cli.verify.logbook import Fact

_SEEN = ("ref", "stage", "class", "state", "owner")


def check_words(case: Case) -> Iterator[Finding]:
    """As `check_told`, not for a case that goes on meanwhile, nor of a record that a damaged stream lost."""
    if len(case.of("decided")) != 1 or any(p.get("old") for p in case.versions[0].persons.values()):
        return
    versions = {str(version.number): version for version in case.versions}
    due = {
        (d.data["person"], d.data["agency"], f"{d.data['last_day']} {d.data['level']}"): d
        for d in case.of("due")
    }
    for fact in case.of("told"):
        data = fact.data
        about = f"{data['agency']}/{data['office'] or '-'}: {data['kind']} {data['what']}"
        if data["kind"] == "due":
            said = due.get((data["about"][0], data["agency"], data["what"]))
            found = [] if said is None else _dated(fact, said)
        else:
            version = versions.get(data["what"])
            found = [] if version is None else [*_dated(fact, version), *_otherwise(data, version)]
        if data["link"] != f"/v1/agencies/{data['agency']}/cases/{case.case_id}":
            found.append(f"leads to {data['link']}")
        for says in found:
            yield Finding("told-otherwise", case.case_id, f"{about} {says}")


def _dated(fact: Fact, record: Fact | Version) -> list[str]:
    """An office is told at once, so the event has the time of what it tells of."""
    return (
        []
        if fact.at == record.at
        else [f"is of {fact.at.isoformat()}, its record of {record.at.isoformat()}"]
    )


def _otherwise(data: dict[str, Any], version: Version) -> Iterator[str]:
    body = data["agency"], data["office"]
    if data["omitted"]:
        yield f"leaves out {data['omitted']} persons"
    for ref, mark in data["marks"].items():
        person = version.persons.get(ref)
        if person is None or mark != digest(seen(person, body)):
            yield f"tells of {ref} otherwise than it stands there"
    for ref in data["ended"]:
        person = version.persons.get(ref)
        if person and any(part["active"] for part in _own(person, body)):
            yield f"says that its part about {ref} is over"


def seen(person: Person, body: tuple[str, str | None]) -> dict[str, Any]:
    """A person as an office may see it: its own parts and limits."""
    dues = [due for due in person["dues"] if (due["agency"], due["office"]) == body]
    return {**{name: person.get(name) for name in _SEEN}, "assignments": _own(person, body), "dues": dues}


def _own(person: Person, body: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [part for part in person["parts"] if (part["agency"], part["office"]) == body]
