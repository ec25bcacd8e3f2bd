"""The rows of a case in the read model: what they must say by the log, and what they say."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from json import loads
from typing import Any

from services.cli.verify.digests import digest
from services.cli.verify.history import Case, Person, Version
from services.cli.verify.logbook import Fact

Row = dict[str, Any]
Table = dict[Any, Row]
"""What rows say, by their keys within a case."""
OVER = ("OVERDUE", "QUEUE")
"""Levels of timers by which a matter is late once they spoke."""
_KEYS: dict[str, tuple[str, ...]] = {
    "matters": ("ref",),
    "inbox": ("agency", "office", "role", "ref"),
    "timers": ("ref", "agency", "last_day", "level"),
    "steps": ("number",),
    "offers": ("agency", "person", "step"),
    "cases": (),
    "case_reports": ("report_id",),
    "links": (),
    "spoken": ("ref", "agency", "last_day", "level"),
}
_INSTANTS = ("since", "quarter_at", "remind_at", "over_at", "at", "opened_at", "updated_at", "due_at")
_TRUTHS = ("closed", "late", "fired", "sealed")


def by_model(table: str, rows: Iterable[Row]) -> Table:
    """What the rows of a table say."""
    return {tuple(row[name] for name in _KEYS[table]): _said(row) for row in rows}


def by_log(case: Case) -> dict[str, Table]:
    """What the rows of each table must say."""
    versions = case.versions
    newest = versions[-1]
    spoken = timers(case, newest.persons)
    decided = case.of("decided")[0]
    return {
        "matters": {(ref,): _matter(case, ref, spoken) for ref in newest.persons},
        "inbox": _inbox(case, newest, versions[0].at),
        "timers": spoken,
        "steps": {(f.data["number"],): _step(f) for f in case.of("step")},
        "offers": {_offer_key(f): {"at": f.at, "event": f.digest} for f in case.of("offered")},
        "cases": {(): {**_named(decided), "opened_at": decided.at, "event": decided.digest}},
        "case_reports": {
            (f.data["report_id"],): {"ticket": f.data["ticket"], "at": f.at} for f in case.of("reports")
        },
        "links": _links(case),
        "spoken": {key: {} for key in _spoken(case)},
    }


def timers(case: Case, persons: dict[str, Person]) -> Table:
    """Each limit that runs: whose, when it has something to say, and whether it has said it."""
    opened = case.versions[0].at
    said = _spoken(case)
    rows: Table = {}
    for ref, person in persons.items():
        for due in person["dues"]:
            for level, name in (("REMINDER", "remind_at"), ("OVERDUE", "over_at")):
                at = datetime.fromisoformat(due[name])
                if level == "OVERDUE" or at > opened:
                    key = (ref, due["agency"], due["last_day"], level)
                    rows[key] = {"office": due["office"], "at": at}
        if alarm := person.get("alarm"):
            at = datetime.fromisoformat(alarm["at"])
            rows[(ref, "OPERATOR", alarm["last_day"], "QUEUE")] = {"office": None, "at": at}
    return {key: {**row, "fired": key in said} for key, row in rows.items()}


def counts(case: Case) -> dict[str, int]:
    """How many rows the tables that are counted must have of a case."""
    return {
        "versions": 1,
        "cases": 1,
        "matters": len(case.versions[-1].persons),
        "steps": len(case.steps),
        "offers": len(case.of("offered")),
        "case_reports": len(case.of("reports")),
        "links": len(_links(case)),
        "spoken": len(_spoken(case)),
    }


def _links(case: Case) -> Table:
    """Of which case this one is a duplicate after its last step."""
    link = case.steps[-1].get("link") if case.steps else None
    return {(): {"root": link["to"], "meant": link["meant"]}} if link else {}


def _spoken(case: Case) -> set[Any]:
    """The limits that were said, by person, agency, last day and level."""
    said = {(f.data["person"], f.data["agency"], f.data["last_day"], f.data["level"]) for f in case.of("due")}
    return said | {(f.data["person"], "OPERATOR", f.data["last_day"], "QUEUE") for f in case.of("waiting")}


def _matter(case: Case, ref: str, spoken: Table) -> Row:
    event = [*case.of("decided"), *case.of("step")][-1]
    person = case.versions[-1].persons[ref]
    owner = person["owner"] or {}
    return {
        "owner": owner.get("agency"),
        "office": owner.get("office"),
        "state": person["state"],
        "closed": person["owner"] is None,
        "why": owner["why"][:80] if owner else None,
        "ticket": event.data["ticket"],
        "region": event.data["region"],
        "stage": person.get("stage"),
        "class": person.get("class"),
        "since": since_of(case.versions, ref),
        "late": any(row["fired"] for key, row in spoken.items() if key[0] == ref and key[3] in OVER),
        **limit_of(person),
        "matter": person["digest"],
    }


def since_of(versions: list[Version], ref: str) -> datetime:
    """From when on the person is where it is: owner and state have been the same since."""
    since, before = versions[0].at, None
    for version in versions:
        if person := version.persons.get(ref):
            owner = person["owner"] or {}
            stands = owner.get("agency"), owner.get("office"), person["state"]
            since, before = since if stands == before else version.at, stands
    return since


def limit_of(person: Person) -> Row:
    """The first limit of whoever must act, or how long the operator may let it wait; quarters of it by its reminder."""
    owner, alarm, names = person["owner"], person.get("alarm"), ("quarter_at", "remind_at", "over_at")
    if owner is None:
        return dict.fromkeys(names)
    whose = owner["agency"], owner["office"]
    mine = [due for due in person["dues"] if (due["agency"], due["office"]) == whose]
    if mine:
        first = min(mine, key=lambda due: datetime.fromisoformat(due["over_at"]))
        remind, over = (datetime.fromisoformat(first[name]) for name in ("remind_at", "over_at"))
        return dict(zip(names, (over - 3 * (over - remind), remind, over), strict=True))
    if alarm:
        begins = datetime.combine(datetime.fromisoformat(alarm["since"]), time(), UTC)
        over = datetime.fromisoformat(alarm["at"])
        at = (begins + (over - begins) / 4, begins + (over - begins) * 0.75, over)
        return dict(zip(names, at, strict=True))
    return dict.fromkeys(names)


def _inbox(case: Case, newest: Version, opened: datetime) -> Table:
    region = [*case.of("decided"), *case.of("step")][-1].data["region"]
    rows: Table = {}
    for ref, person in newest.persons.items():
        for part in (part for part in person["parts"] if part["active"]):
            body = (part["agency"], part["office"] or "")
            ends = [
                datetime.fromisoformat(due["over_at"])
                for due in person["dues"]
                if (due["agency"], due["office"] or "") == body
            ]
            row = {"region": region, "state": person["state"], "due_at": min(ends, default=None)}
            rows[(*body, part["role"], ref)] = {**row, "opened_at": opened, "updated_at": newest.at}
    return rows


def _step(fact: Fact) -> Row:
    return {"at": fact.at, "sealed": fact.data.get("sealed") is not None, "event": fact.digest}


def _offer_key(fact: Fact) -> tuple[Any, ...]:
    return fact.data["agency"], fact.data["person"], fact.data.get("step", 0)


def _named(fact: Fact) -> Row:
    return {name: fact.data[name] for name in ("report_id", "ticket", "region")}


def _said(row: Row) -> Row:
    said = dict(row)
    for name in said.keys() & set(_INSTANTS):
        said[name] = instant(said[name])
    for name in said.keys() & set(_TRUTHS):
        said[name] = bool(said[name])
    for name in said.keys() & {"event", "matter"}:
        said[name] = digest(loads(said[name]))
    return said


def instant(value: Any) -> datetime | None:
    """PostgreSQL answers with an instant, SQLite with its text, which forgets the zone."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at and (at if at.tzinfo else at.replace(tzinfo=UTC))
