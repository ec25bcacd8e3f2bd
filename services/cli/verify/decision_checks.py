"""Decides every case again. It alone uses the engine: it sees a log that nobody decided, not an engine that is wrong.

What a rulebook gives is proved elsewhere; here a decision that was tampered with, or half written, is seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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
from services.routing.core.decide import Judge
from services.routing.deciding import load_judge
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.bus import Bus

_ROUTE = {"ref", "stage", "class_", "assignments"}


@dataclass(frozen=True)
class Deciding:
    """All rulebooks and calendars that were ever in force, as far as this version of the software can read them."""

    known: Judges
    versions: frozenset[tuple[str, str]]

    def check(self, case: Case, book: Logbook) -> Iterator[Finding]:
        """Nothing where the rulebook, the calendar or the facts of the report cannot be had any more."""
        record = case.of("decided")[0].data
        decision = record["decision"]
        ref, calendar = decision["rulebook"], decision["calendar"]
        if ref["digest"] not in self.known.rulebooks:
            if (ref["id"], ref["version"]) in self.versions:
                says = f"was decided by the rulebook {ref['id']} {ref['version']}, whose digest is another"
                yield Finding("unknown-rulebook", case.case_id, says)
            return
        judge = self.known.of(ref["digest"], calendar["digest"])
        facts = _facts(book, record["report_id"])
        if judge and facts and calendar["digest"] in self.known.calendars:
            yield from _again(case, judge, facts)


async def deciding(bus: Bus) -> Deciding | None:
    """None where an older text cannot be read by this version. Raises BrokerAway and NATS errors."""
    try:
        known = await judges(bus.js, _packaged())
    except (BrokenRulebook, ValueError):
        return None
    refs = [reasoner.ref for reasoner in known.rulebooks.values()]
    return Deciding(known, frozenset((ref.id, ref.version) for ref in refs))


@cache
def _packaged() -> Judge:
    return load_judge()


def _facts(book: Logbook, report_id: str) -> ReportFacts | None:
    row = book.db.execute("SELECT facts FROM reports WHERE report_id = ?", (report_id,)).fetchone()
    try:
        return ReportFacts.model_validate_json(row[0]) if row else None
    except ValidationError:
        return None


def _again(case: Case, judge: Judge, facts: ReportFacts) -> Iterator[Finding]:
    decision: dict[str, Any] = case.of("decided")[0].data["decision"]
    day = date.fromisoformat(decision["handled_on"])
    again = {
        person.ref: digest(person.model_dump(mode="json", by_alias=True, include=_ROUTE))
        for person in judge.decide(facts, day, ()).persons
    }
    recorded = {person["ref"]: person["digest"] for person in decision["persons"]}
    for ref in sorted(again.keys() | recorded.keys()):
        if again.get(ref) != recorded.get(ref):
            version = decision["rulebook"]["version"]
            says = (
                f"{ref} has another route than the rulebook {version} gives it when the case is decided again"
            )
            yield Finding("decided-otherwise", case.case_id, says)
