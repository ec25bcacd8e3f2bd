"""Decides stored cases again: to reproduce them byte for byte, under another rulebook, or as if handled later."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import rfc8785

from contracts.codes import Role
from contracts.decision import Decision
from contracts.facts import ReportFacts
from services.routing.core.decide import Judge

HIDDEN_BELOW = 5
"""Cells smaller than this are not shown: a single case in one place is a person."""


@dataclass(frozen=True)
class Stored:
    """A decided case: the facts of its report and the decision that stands."""

    case_id: str
    facts: ReportFacts
    decision: Decision


@dataclass
class Tally:
    """What a replay found; `before` and `after` count persons by agency and role that act or know at the opening."""

    cases: int = 0
    same: int = 0
    other_rulebook: int = 0
    changed: list[str] = field(default_factory=list)
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)


def canonical(decision: Decision) -> bytes:
    """The bytes of a decision (RFC 8785), equal for equal decisions."""
    return rfc8785.dumps(json.loads(json.dumps(decision.document())))


def replay(
    stored: Iterable[Stored], judge_for: Callable[[Decision], Judge], *, as_if: date | None = None
) -> Tally:
    """Decide each case again with its judge, on its own day of handling or on `as_if` where that is later.

    `same` counts decisions that come out byte for byte; `changed` names the cases whose route differs, rulebook and
    calendar versions apart.
    """
    tally = Tally()
    for case in stored:
        day = max(case.decision.handled_on, as_if) if as_if else case.decision.handled_on
        again = judge_for(case.decision).decide(case.facts, day, ())
        tally.cases += 1
        tally.other_rulebook += case.decision.rulebook.digest != again.rulebook.digest
        tally.same += canonical(case.decision) == canonical(again)
        if list(_parts(case.decision)) != list(_parts(again)):
            tally.changed.append(case.case_id)
        tally.before.update(_told(case.decision))
        tally.after.update(_told(again))
    return tally


def lines_of(tally: Tally) -> Iterator[str]:
    """The tally in words; small cells are hidden."""
    yield f"{tally.cases} decisions: {tally.same} reproduced byte for byte, {len(tally.changed)} with another route."
    if tally.other_rulebook:
        yield f"{tally.other_rulebook} were made with another rulebook than the one replayed."
    for name in sorted(set(tally.before) | set(tally.after)):
        yield f"  {name:24} {_cell(tally.before[name]):>8} before {_cell(tally.after[name]):>8} after"


def _cell(count: int) -> str:
    return str(count) if count == 0 or count >= HIDDEN_BELOW else f"<{HIDDEN_BELOW}"


def _parts(decision: Decision) -> Iterator[tuple[str, ...]]:
    for person in decision.persons:
        yield person.ref, person.stage, person.class_
        for part in person.assignments:
            deadline = part.deadline.model_dump_json() if part.deadline else ""
            yield person.ref, part.agency, part.office or "", part.role, part.when, deadline


def _told(decision: Decision) -> Iterator[str]:
    for person in decision.persons:
        yield from {
            f"{a.agency} {a.role}" for a in person.assignments if a.role is Role.ACTION or a.when == "OPENED"
        }
