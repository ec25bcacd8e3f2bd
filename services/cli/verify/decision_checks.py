"""Decides every case again, and each of its steps. It and `step_checks` alone use the engine: they see a log that nobody
decided, not an engine that is wrong.

What a rulebook gives is proved elsewhere; here a decision that was tampered with, or half written, is seen.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

from pydantic import ValidationError

from contracts.facts import ReportFacts
from services.cli.law import Judges, judges
from services.cli.verify.digests import digest
from services.cli.verify.findings import Finding
from services.cli.verify.history import Case
from services.cli.verify.logbook import Logbook
from services.cli.verify.slimming import slim
from services.cli.verify.step_checks import check_steps
from services.routing.core.decide import Judge
from services.routing.deciding import load_judge
from services.runtime.bus import Bus

_COMPARED = {"digest": "route", "not_assigned": "list of who is left out", "review": "list of open questions"}
"""Why somebody is left out, and how a question is put, are words that later versions may put better."""
Law = tuple[str, str, str]
"""Whether rulebook or calendar, its name, and its digest."""


@dataclass
class Deciding:
    """All rulebooks and calendars that were ever in force, as far as this version of the software can read them."""

    known: Judges
    broken: list[str]
    """Where in the streams texts lie that cannot be read."""
    _lacking: Counter[Law] = field(default_factory=Counter)
    """What is not known, and how many cases rest on it."""

    def check(self, case: Case, book: Logbook) -> Iterator[Finding]:
        """What rests on a rulebook or a calendar that cannot be had is left out: `unknown` tells of it at the end."""
        record = case.of("decided")[0].data
        report_id, decision = record["report_id"], record["decision"]
        row = book.db.execute("SELECT facts FROM reports WHERE report_id = ?", (report_id,)).fetchone()
        if row is None:
            return
        try:
            facts = ReportFacts.model_validate_json(row[0])
        except ValidationError:
            says = f"cannot be decided again: the facts of its report {report_id} cannot be read"
            yield Finding("unreadable", case.case_id, says)
            return
        self._lacking.update({law for law in _named(case) if not self._has(law)})
        for kind, name, mark in sorted(set(_named(case)), key=str):
            if (known := self._name(kind, mark)) not in (None, name):
                says = f"rests by its digest on the {kind} {known}, and calls it {name}"
                yield Finding("misnamed-law", case.case_id, says)
        judge = self.known.of(decision["rulebook"]["digest"], decision["calendar"]["digest"])
        judge = judge if decision["calendar"]["digest"] in self.known.calendars else None
        if judge:
            yield from _again(case, judge, facts)
        yield from check_steps(case, facts, judge, self._judges)

    def unknown(self) -> Iterator[Finding]:
        """Every rulebook and calendar of which nothing was decided again, and every text that is none."""
        for place in self.broken:
            says = f"{place} holds no rulebook or calendar that this version can read, or another than was loaded"
            yield Finding("law-unreadable", "", says)
        versions = {f"{ref.id} {ref.version}" for ref in (r.ref for r in self.known.rulebooks.values())}
        for (kind, name, mark), count in sorted(self._lacking.items()):
            where = (
                "whose digest is another there" if name in versions else "which is not there, or not readable"
            )
            says = f"{count} cases rest on the {kind} {name} ({mark}), {where}: that was not decided again"
            yield Finding(f"unknown-{kind}", "", says)

    def _has(self, law: Law) -> bool:
        kind, _, mark = law
        return mark in (self.known.rulebooks if kind == "rulebook" else self.known.calendars)

    def _name(self, kind: str, mark: str) -> str | None:
        if kind == "calendar":
            return self.known.calendars[mark].calendar.version if mark in self.known.calendars else None
        ref = self.known.rulebooks[mark].ref if mark in self.known.rulebooks else None
        return f"{ref.id} {ref.version}" if ref else None

    def _judges(self, rulebook: str) -> list[Judge]:
        """A rulebook with each of the calendars, of which a step names none."""
        reasoner = self.known.rulebooks.get(rulebook)
        found = self.known.calendars.values()
        return [replace(judge, reasoner=reasoner) for judge in found] if reasoner else []


async def deciding(bus: Bus) -> Deciding:
    """Raises BrokerAway and NATS errors."""
    broken = list[str]()
    return Deciding(await judges(bus.js, _packaged(), broken), broken)


@cache
def _packaged() -> Judge:
    return load_judge()


def _named(case: Case) -> Iterator[Law]:
    """What the decision and the steps of a case rest on."""
    decision = case.of("decided")[0].data["decision"]
    yield "calendar", decision["calendar"]["version"], decision["calendar"]["digest"]
    for ref in (decision["rulebook"], *(step["rulebook"] for step in case.steps)):
        yield "rulebook", f"{ref['id']} {ref['version']}", ref["digest"]


def _again(case: Case, judge: Judge, facts: ReportFacts) -> Iterator[Finding]:
    decision: dict[str, Any] = case.of("decided")[0].data["decision"]
    day = date.fromisoformat(decision["handled_on"])
    anew = slim({"decision": judge.decide(facts, day, ()).model_dump(mode="json", by_alias=True)})["decision"]
    if digest(decision["admissibility"]) != digest(anew["admissibility"]):
        says = "is admissible otherwise, or until another day, than when the case is decided again"
        yield Finding("decided-otherwise", case.case_id, says)
    again = {person["ref"]: person for person in anew["persons"]}
    recorded = {person["ref"]: person for person in decision["persons"]}
    for ref in sorted(again.keys() | recorded.keys(), key=str):
        one, other = recorded.get(ref, {}), again.get(ref, {})
        if differing := [what for name, what in _COMPARED.items() if one.get(name) != other.get(name)]:
            says = f"{ref} has another {differing[0]} than the rulebook {decision['rulebook']['version']} gives it"
            yield Finding("decided-otherwise", case.case_id, f"{says} when the case is decided again")
