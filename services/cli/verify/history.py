"""A case as the checker reads it: its versions, its steps, and what of them stands."""

from datetime import datetime
from typing import Any, NamedTuple

from services.cli.verify import law
from services.cli.verify.logbook import Fact, ReportFact

Person = dict[str, Any]


class Version(NamedTuple):
    """What every person's matter is after one event, by `ref`."""

    number: int
    at: datetime
    persons: dict[str, Person]
    happened: datetime
    """`at`, as far as the broker's clock confirms it."""
    seq: int
    """Of its event in the stream."""


class Case(NamedTuple):
    """All events of a case by kind, in order, and the reports that say they belong to it."""

    case_id: str
    facts: dict[str, list[Fact]]
    reports: list[ReportFact]

    def of(self, kind: str) -> list[Fact]:
        return self.facts.get(kind, [])

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [fact.data for fact in self.of("step")]

    @property
    def versions(self) -> list[Version]:
        """The opening and each step; the opening of a record from before cases had a life is made from its decision."""
        opening = self.of("decided")[0]
        persons = opening.data.get("persons")
        if persons is None:
            persons = [_from(person) for person in opening.data["decision"]["persons"]]
        found = [Version(0, opening.at, _by_ref(persons), opening.happened, opening.seq)]
        return [
            *found,
            *(
                Version(f.data["number"], f.at, _by_ref(f.data["persons"]), f.happened, f.seq)
                for f in self.of("step")
            ),
        ]


def case_of(case_id: str, facts: list[Fact], reports: list[ReportFact]) -> Case:
    """The case of these events."""
    by_kind: dict[str, list[Fact]] = {}
    for fact in facts:
        by_kind.setdefault(fact.kind, []).append(fact)
    return Case(case_id, by_kind, reports)


def trigger_of(said: dict[str, Any]) -> str:
    """`EVENT:RESULT`, or the bare event."""
    return f"{said['event']}:{said['result']}" if said.get("result") else str(said["event"])


def standing(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps nobody took back; a VOID that was itself taken back takes nothing back."""
    kept, gone = [], set[int]()
    for step in reversed(steps):
        if step["number"] in gone:
            continue
        if step["said"]["event"] == "VOID":
            gone.add(step["said"]["step"])
        kept.append(step)
    return kept[::-1]


def progressed(steps: list[dict[str, Any]], ref: str) -> str:
    """Where the progress that stands has brought a person."""
    state = law.START
    for step in standing(steps):
        said = step["said"]
        if said.get("person") in (None, ref) and said["event"] not in law.MOVES:
            state = law.leads_to(state, trigger_of(said)) or _jump(trigger_of(said)) or state
    return state


def acting(person: Person) -> list[dict[str, Any]]:
    """The parts by which somebody must act now."""
    return [part for part in person["parts"] if part["active"] and part["role"] == "ACTION"]


def _jump(trigger: str) -> str | None:
    """Where a step leads that no longer follows from what stands before it, because that was taken back."""
    if trigger == "WITHDRAWN":
        return trigger
    return next((to[trigger] for to in law.FOLLOWS.values() if trigger in to), None)


def _by_ref(persons: list[Person]) -> dict[str, Person]:
    return {person["ref"]: person for person in persons}


def _from(person: Person) -> Person:
    known = {name: person[name] for name in ("ref", "stage", "class")}
    parts = person["assignments"]
    return {**known, "state": law.START, "owner": None, "parts": parts, "dues": [], "old": True}
