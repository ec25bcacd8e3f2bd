"""Decides open cases again after competence moved: first as a trial, then as one step in each case; repeatable."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from contracts.steps import OPERATOR, Matter
from services.routing.casebook import Casebook, Impossible
from services.routing.casefiles import File, NoSuchCase
from services.routing.core.life import Step
from services.routing.core.succeeding import Act, Cell, cells, duties
from services.routing.matter_queries import MatterQueries
from services.routing.paging import Cursor
from services.runtime.clock import Clock

PAGE = 200
"""Open matters looked at in one go."""


class Moved(NamedTuple):
    """One case: its matters before and after. `outcome` is `moves`, `moved`, `stays` (by the law in force the old body
    keeps what it has) or `refused`, with the reason."""

    file: File
    after: tuple[Matter, ...]
    outcome: str
    reason: str | None = None


class Page(NamedTuple):
    """The cases of one page; `after` names the next one, None at the end."""

    moved: list[Moved]
    after: Cursor | None


class Succession:
    """What was done already is not found again, so it may be stopped anywhere and run again."""

    def __init__(self, casebook: Casebook, queries: MatterQueries, clock: Clock) -> None:
        self._casebook, self._queries, self._clock = casebook, queries, clock

    async def page(self, act: Act, article: str | None, after: Cursor | None, *, apply: bool) -> Page:
        """Look at the next open matters; with `apply` each case that moves gets its step.

        Raises BrokerAway and SQLAlchemyError.
        """
        rows = await self._queries.waiting(None, None, after, PAGE)
        found = []
        named = (row["case_id"] for row in rows if f'"{act.old}"' in row["matter"])
        for case_id in dict.fromkeys(named):
            try:
                moved = await self._case(UUID(case_id), act, article, apply=apply)
            except NoSuchCase:
                continue
            found += [moved] if moved else []
        last = rows[-1] if len(rows) == PAGE else None
        return Page(found, (last["since"], f"{last['case_id']}/{last['ref']}") if last else None)

    async def _case(self, case_id: UUID, act: Act, article: str | None, *, apply: bool) -> Moved | None:
        """None where nothing is open that obliges the old body."""
        file = await self._casebook.read(case_id)
        held = duties(file.matters, act.old)
        if not held:
            return None
        step = Step(len(file.steps) + 1, file.dated(self._clock()), OPERATOR, None, act.said)
        after = self._casebook.life(file, step).matters
        if duties(after, act.old) == held:
            cure = f"if {act.new} is competent now, load the rulebook that says so first"
            return Moved(
                file, after, "stays", f"by the rulebook in force {act.old} keeps what it has; {cure}"
            )
        if not apply:
            return Moved(file, after, "moves")
        words = {"article": article} if article else {}
        try:
            event = await self._casebook.say(case_id, act.said, OPERATOR, None, words)
        except Impossible as impossible:
            return Moved(file, file.matters, "refused", impossible.reason)
        return Moved(file, event.data.persons, "moved")


def document(page: Page, cursor: str | None) -> dict[str, Any]:
    """A page as the door gives it: the cases, and the open persons by owner and state before and after."""
    before, after = Counter[Cell](), Counter[Cell]()
    for moved in page.moved:
        before += cells(moved.file.matters)
        after += cells(moved.after)
    return {
        "cases": [_case(moved) for moved in page.moved],
        "before": list(_rows(before)),
        "after": list(_rows(after)),
        "next_cursor": cursor,
    }


def _case(moved: Moved) -> dict[str, Any]:
    data = moved.file.decided.data
    return {
        "case_id": str(data.case_id),
        "ticket": data.ticket,
        "outcome": moved.outcome,
        "reason": moved.reason,
        "before": list(_rows(cells(moved.file.matters))),
        "after": list(_rows(cells(moved.after))),
    }


def _rows(counted: Counter[Cell]) -> Iterator[dict[str, Any]]:
    for (owner, state), persons in sorted(counted.items()):
        yield {"owner": owner, "state": state, "persons": persons}
