"""Moves the limits that run after the calendars changed: one step in each case whose limits come out otherwise."""

import asyncio
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from contracts import regions
from contracts.events import CaseStepped
from contracts.steps import Matter, MovedLimit
from services.routing.casebook import ATTEMPTS, Casebook
from services.routing.casefiles import File, NoSuchCase
from services.routing.core.reckoning import Counted, concerns, reckoned, recount
from services.routing.core.workdays import WorkCalendar
from services.routing.in_force import FOLLOW_SECONDS
from services.routing.law import Law
from services.routing.matter_queries import MatterQueries
from services.routing.paging import Cursor
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log
from services.runtime.reading import surely

PAGE = 200
"""Open matters looked at in one go."""
SETTLE = 5 * FOLLOW_SECONDS
"""Seconds until no worker counts by the calendar before any more; then all are looked at once again."""
RETRY = 5.0
_POLL = 1.0


class Page(NamedTuple):
    """The cases of one page in which limits move, with those limits; `after` names the next page, None at the end."""

    moved: dict[UUID, tuple[MovedLimit, ...]]
    after: Cursor | None


class Reckoning:
    """What was counted again is not found again, so a pass may be stopped anywhere and run again, by several workers.

    `seconds` lie between two passes while the calendars stay.
    """

    def __init__(
        self, bus: Bus, casebook: Casebook, law: Law, queries: MatterQueries, clock: Clock, seconds: float
    ) -> None:
        self._bus, self._casebook, self._law, self._queries = bus, casebook, law, queries
        self._clock, self._seconds = clock, seconds
        self._unmoved = set[UUID]()
        """Cases whose limits come out the same by the calendar in force, although they name another."""

    async def watch(self) -> None:
        """A pass at once after each change, another when it has settled, then rarely; until cancelled."""
        counted, rest = "", 0.0
        while True:
            digest = self._law.judge.workdays.digest
            fresh = digest != counted
            if fresh or rest <= 0:
                try:
                    await self.run(settled=not fresh)
                    counted, rest = digest, SETTLE if fresh else self._seconds
                except (BrokerAway, SQLAlchemyError) as trouble:
                    log("limits.not_reckoned", level="WARNING", error=type(trouble).__name__)
                    await asyncio.sleep(RETRY)
            await asyncio.sleep(_POLL)
            rest -= _POLL

    async def run(self, *, settled: bool = False) -> int:
        """One pass over all open matters; the limits moved. `settled`: remember what need not be looked at again.

        Raises BrokerAway and SQLAlchemyError.
        """
        workdays, after, limits = self._law.judge.workdays, None, 0
        if not settled:
            self._unmoved.clear()
        while True:
            rows, cursor = await self._rows(workdays, after)
            for case_id in rows.keys() - self._unmoved:
                moved = await self._apply(case_id, workdays)
                limits += len(moved)
                if settled and not moved:
                    self._unmoved.add(case_id)
            if (after := cursor) is None:
                break
        if limits:
            log("limits.reckoned", moved=limits, calendar=workdays.version)
        return limits

    async def trial(self, workdays: WorkCalendar, after: Cursor | None) -> Page:
        """What another calendar would move in one page of open matters; changes nothing. Raises as `run`."""
        rows, cursor = await self._rows(workdays, after)
        found = {}
        for case_id, refs in rows.items():
            try:
                counted = self._count(await self._casebook.read(case_id), workdays)
            except NoSuchCase:
                continue
            if limits := tuple(limit for limit in counted.moved if limit.person in refs):
                found[case_id] = limits
        return Page(found, cursor)

    async def _rows(
        self, workdays: WorkCalendar, after: Cursor | None
    ) -> tuple[dict[UUID, set[str]], Cursor | None]:
        """The cases of a page that have to be looked at, with the persons of the page, and the next page."""
        rows = await self._queries.waiting(None, None, after, PAGE)
        now, found = self._clock(), dict[UUID, set[str]]()
        for row in rows:
            if concerns(Matter.model_validate_json(row["matter"]), row["region"], workdays, now):
                found.setdefault(UUID(row["case_id"]), set()).add(row["ref"])
        last = rows[-1] if len(rows) == PAGE else None
        return found, (last["since"], f"{last['case_id']}/{last['ref']}") if last else None

    async def _apply(self, case_id: UUID, workdays: WorkCalendar) -> tuple[MovedLimit, ...]:
        try:
            return await self._reckon(case_id, workdays)
        except (BrokerAway, SQLAlchemyError):
            raise
        except Exception as trouble:  # one bad case must not keep the limits of all others
            log("limits.reckoning_failed", level="ERROR", case=str(case_id), error=type(trouble).__name__)
            return ()

    async def _reckon(self, case_id: UUID, workdays: WorkCalendar) -> tuple[MovedLimit, ...]:
        """Add the step that moves what the calendar moves; nothing where it moves nothing or another worker was first."""
        for _ in range(ATTEMPTS):
            file = await self._casebook.read(case_id)
            counted = self._count(file, workdays)
            if not counted.moved or workdays is not self._law.judge.workdays:
                return ()
            at = file.dated(self._clock())
            today = at.astimezone(regions.zone_of(file.decided.data.region)).date()
            event = reckoned(file.decided, file.last, counted, workdays, at, today)
            await self._bus.tell([event])
            stored = await surely(self._bus, event.nats_subject)
            if stored and CaseStepped.model_validate_json(stored).data == event.data:
                return counted.moved
        return ()

    def _count(self, file: File, workdays: WorkCalendar) -> Counted:
        facts, opened_on = file.accepted.data.facts, file.decided.data.decision.handled_on
        return recount(file.matters, facts, self._casebook.life(file), opened_on, workdays, self._clock())
