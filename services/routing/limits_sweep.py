"""Looks, rarely, whether the broker's timers missed a time limit: says what they missed, and sets what they lost.

The read model knows every limit that runs, from the log. So what happens to the stream TIMERS can delay a limit by one look
at most, and each loss is counted and logged.
"""

import asyncio
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from services.routing.limits_watch import Limits, Spoken
from services.routing.timer_queries import TimerQueries
from services.routing.timers import Firing, Timers
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.logs import log

GRACE = 30.0
"""Seconds what is due may be on its way (fired, being said, being written down) before it counts as missed."""
RETRY = 5.0


class Swept(NamedTuple):
    """`missed` limits were said by this look because no timer did; for `armed` cases timers were set anew."""

    missed: int
    armed: int


class Sweep:
    """`seconds` lie between two looks; the first comes at once and checks the timers of all limits, however far away."""

    def __init__(
        self, bus: Bus, limits: Limits, timers: Timers, queries: TimerQueries, clock: Clock, seconds: float
    ) -> None:
        self._bus, self._limits, self._timers, self._queries = bus, limits, timers, queries
        self._clock, self._seconds = clock, seconds

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        whole = True
        while True:
            try:
                await self.look(whole=whole)
                whole = False
            except (BrokerAway, SQLAlchemyError) as trouble:
                log("limits.waiting", level="WARNING", error=type(trouble).__name__)
                await asyncio.sleep(min(RETRY, self._seconds))
            else:
                await asyncio.sleep(self._seconds)

    async def look(self, *, whole: bool = False) -> Swept:
        """One look; `whole`: also at limits that pass later than the next look. Raises BrokerAway, SQLAlchemyError."""
        swept = Swept(armed=await self._arm(whole), missed=await self._say())
        if any(swept):
            log("limits.swept", level="WARNING", missed=swept.missed, armed=swept.armed)
        return swept

    async def _arm(self, whole: bool) -> int:
        now = self._clock()
        until = None if whole else now + timedelta(seconds=2 * self._seconds)
        armed = set[UUID]()
        async for page in self._queries.coming(now, until):
            for case_id in await self._timers.missing(page) - armed:
                await self._timers.arm(case_id)
                armed.add(case_id)
        return len(armed)

    async def _say(self) -> int:
        """Say what was due before and still is unsaid after the grace."""
        seen = {Firing.of(row) async for row in self._queries.overdue(self._clock())}
        if not seen:
            return 0
        await asyncio.sleep(min(GRACE, self._seconds / 2))
        late = [
            firing async for row in self._queries.overdue(self._clock()) if (firing := Firing.of(row)) in seen
        ]
        return sum([await self._missed(firing) for firing in late])

    async def _missed(self, firing: Firing) -> bool:
        try:
            if await self._bus.stored(firing.event_subject):
                return False
            said = await self._limits.speak(firing) is Spoken.SAID
        except (BrokerAway, SQLAlchemyError):
            raise
        except Exception as trouble:  # one bad case must not silence the limits of all others
            log("limits.failed", level="ERROR", case=str(firing.case_id), error=type(trouble).__name__)
            return False
        if said:
            log(
                "limits.missed",
                level="WARNING",
                case=str(firing.case_id),
                limit=firing.name.partition(".")[2],
            )
        return said
