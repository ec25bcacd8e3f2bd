"""What of an event the checks need; the rest is kept as a digest, or not at all."""

from typing import Any

from services.cli.verify.digests import digest

_PART = ("agency", "office", "role", "when", "rule", "basis", "active", "deadline")


def slim(data: dict[str, Any]) -> dict[str, Any]:
    """Without the words a check does not need; of persons a digest tells whether they are the same word for word."""
    slim = dict(data)
    if decision := data.get("decision"):
        names = ("handled_on", "rulebook", "calendar", "admissibility")
        persons = [_decided(person) for person in decision["persons"]]
        slim["decision"] = {**{name: decision.get(name) for name in names}, "persons": persons}
    matters = data.get("persons")
    if isinstance(matters, list) and all(isinstance(one, dict) for one in matters):
        slim["persons"] = [
            {**person, "parts": _parts(person["parts"]), "digest": digest(person)} for person in matters
        ]
    if "assignments" in data:
        slim["assignments"] = _parts(data["assignments"])
    return slim


def _decided(person: dict[str, Any]) -> dict[str, Any]:
    route = {name: person[name] for name in ("ref", "stage", "class", "assignments")}
    beside = {"not_assigned": ("agency", "rule"), "review": ("rule",)}
    more = {what: [[one[n] for n in names] for one in person.get(what, ())] for what, names in beside.items()}
    return {**route, "assignments": _parts(person["assignments"]), "digest": digest(route), **more}


def told(data: dict[str, Any], kind: str) -> dict[str, Any]:
    """Whom an event for an agency tells of whom, and of what: a step by its number, a limit by its day and level."""
    names = ("agency", "office", "ticket", "region", "link")
    common = {"kind": kind, **{name: data[name] for name in names}}
    if kind == "due":
        return {**common, "what": f"{data['last_day']} {data['level']}", "about": [data["person"]]}
    persons, ended = (
        [{**p, "assignments": _parts(p["assignments"])} for p in data["persons"]],
        data.get("ended", []),
    )
    refs = [person["ref"] for person in persons] + ended
    marks = {person["ref"]: digest(person) for person in persons}
    more = {"ended": ended, "omitted": data.get("omitted", 0), "refs": refs}
    return {**common, "what": str(data["number"]), "about": refs, "marks": marks, **more}


def _parts(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: part.get(name) for name in _PART} for part in parts]
