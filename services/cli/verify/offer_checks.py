"""Checks the offers of a case: each agency is told of a part it got, once, and of what its part is; nobody else is."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from services.cli.verify.findings import Finding
from services.cli.verify.history import Case, Person, acting


def check_offers(case: Case) -> Iterator[Finding]:
    """Who got a part it had not before is told once; nobody else is."""
    told = Counter(
        (fact.data.get("step", 0), fact.data["agency"], fact.data["person"]) for fact in case.of("offered")
    )
    wanted = set[tuple[int, str, str]]()
    opening = case.of("decided")[0].data["decision"]["persons"]
    wanted |= {
        (0, p["agency"], person["ref"]) for person in opening for p in person["assignments"] if p["active"]
    }
    silent = {step["number"] for step in case.steps if step["said"]["event"] == "LINK"}
    held = case.versions[0].persons
    for version in case.versions[1:]:
        for ref, person in version.persons.items() if version.number not in silent else ():
            wanted |= {(version.number, agency, ref) for agency in _news(held.get(ref), person)}
        held = version.persons
    for number, agency, ref in sorted(wanted - told.keys()):
        yield Finding(
            "not-offered", case.case_id, f"{agency} got a part about {ref} at step {number} and was not told"
        )
    for number, agency, ref in sorted(told.keys() - wanted):
        yield Finding(
            "offered-in-vain", case.case_id, f"{agency} was told of {ref} at step {number} without a new part"
        )
    for key, count in told.items():
        if count > 1:
            yield Finding(
                "offered-twice", case.case_id, f"{key[1]} was told of {key[2]} {count} times at step {key[0]}"
            )
    yield from _differing(case)
    yield from _unroutable(case)


def _differing(case: Case) -> Iterator[Finding]:
    """An offer says of a person what the decision or the step says that made it: the same offices, duties and limits."""
    opening = {p["ref"]: p for p in case.of("decided")[0].data["decision"]["persons"]}
    versions = {version.number: version.persons for version in case.versions}
    for fact in case.of("offered"):
        data, number = fact.data, fact.data.get("step", 0)
        person = versions.get(number, {}).get(data["person"]) if number else opening.get(data["person"])
        made = _at(case, number)
        if made not in (None, fact.at):
            says = (
                f"{data['agency']} was told of {data['person']} at step {number} by an event of another time"
            )
            yield Finding("wrong-offer", case.case_id, says)
        wanted = person and _offer(person, person["parts" if number else "assignments"], data["agency"])
        if wanted and wanted != _offer(data, data["assignments"], data["agency"]):
            says = f"{data['agency']} was told of {data['person']} at step {number} otherwise than it stands there"
            yield Finding("wrong-offer", case.case_id, says)


def _at(case: Case, number: int) -> datetime | None:
    return next((version.at for version in case.versions if version.number == number), None)


def _offer(about: dict[str, Any], parts: list[dict[str, Any]], agency: str) -> tuple[Any, ...]:
    return about.get("stage"), about.get("class"), [part for part in parts if part["agency"] == agency]


def _news(before: Person | None, after: Person) -> set[str]:
    """The agencies with a part they had not before; that one who had to act may still read is no news."""
    held = [part for part in before["parts"] if part["active"]] if before else []
    known, bodies = {_key(part) for part in held}, {(part["agency"], part["office"]) for part in held}
    return {
        part["agency"]
        for part in after["parts"]
        if part["active"]
        and _key(part) not in known
        and not (part["role"] == "INFORMATION" and (part["agency"], part["office"]) in bodies)
    }


def _unroutable(case: Case) -> Iterator[Finding]:
    nobody = [
        p["ref"]
        for p in case.of("decided")[0].data["decision"]["persons"]
        if not acting({"parts": p["assignments"]})
    ]
    told = [ref for fact in case.of("unroutable") for ref in fact.data["persons"]]
    if nobody != told:
        yield Finding(
            "unroutable", case.case_id, f"nobody must act about {nobody}, the operator was told of {told}"
        )


def _key(part: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(part[name] for name in ("agency", "office", "role", "when", "rule"))
