"""Builds the read model anew beside the one in use, compares both, and if told so makes the one in use like the new one.

The system goes on meanwhile. Whatever interrupts it, the read model in use is as it was: it is changed in one transaction.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.routing import views_tables as tables
from services.routing.comparing import Difference, differences, mend, suspects
from services.routing.projecting import keep_in
from services.routing.rebuilding import PROJECTED, acknowledged, entries_between, page_from
from services.routing.shadow import shadow_of, unhurried
from services.routing.views import Views
from services.runtime.bus import Bus
from services.runtime.database import writing
from services.runtime.reading import PAGE

MOST_BEHIND = 20_000
"""Messages the read model in use may be behind; the last of them are read while nobody else may write."""
Line = dict[str, Any]


class TooFarBehind(Exception):
    """The read model in use has yet to catch up with the streams; the text says by how much."""


class Rebuild:
    def __init__(self, bus: Bus, views: Views) -> None:
        self._bus, self._views = bus, views

    async def run(self, *, replace: bool) -> AsyncIterator[Line]:
        """What is done, line by line; the last says whether both were equal, and whether the new one was taken over.

        Raises Busy, TooFarBehind, BrokerAway and SQLAlchemyError.
        """
        async with unhurried(self._views.engine) as own, shadow_of(own) as engine:
            shadow = Views(engine)
            await shadow.open()
            async for line in self._fill(shadow):
                yield line
            looked: dict[str, Difference] = {}
            async with own.connect() as live, engine.connect() as right:
                async for found in suspects(live, right):
                    looked[found.table] = found
                    yield {"event": "looked", "table": found.table, "rows": found.rows}
            async for _ in self._fill(
                shadow
            ):  # what came while we compared: little is left to read under the lock
                pass
            cases = sorted({case_id for found in looked.values() for case_id in found.cases})
            for final in (finals := await self._settle(own, shadow, cases, replace=replace)):
                rows = looked.get(final.table, final).rows
                yield {**_line(final), "rows": rows}
        wrong = any(final.differing for final in finals)
        yield {"event": "done", "equal": not wrong, "replaced": wrong and replace}

    async def _fill(self, shadow: Views) -> AsyncIterator[Line]:
        """Read every stream to its end. A page that is not full ends it: nobody can run after those who still write."""
        clock = asyncio.get_running_loop().time
        for stream in PROJECTED:
            began, read, full = clock(), 0, True
            while full:
                page = await page_from(self._bus, stream, await shadow.position(stream) + 1)
                await shadow.keep_all(page.entries)
                read, full = read + len(page.entries), len(page.entries) == PAGE
                rate = round(read / max(clock() - began, 0.001))
                percent = round(100 * read / max(read + page.more, 1), 1)
                yield {"event": "reading", "stream": stream, "read": read, "percent": percent, "rate": rate}

    async def _settle(
        self, own: AsyncEngine, shadow: Views, cases: list[str], *, replace: bool
    ) -> list[Difference]:
        """Bring both to the same place in the streams, compare what was suspect, and mend it if told so.

        Nobody else writes meanwhile: no event is lost, it waits for the lock.
        """
        async with writing(own, patient=True) as live:
            for stream in PROJECTED:
                await self._meet(live, shadow, stream)
            async with shadow.engine.connect() as right:
                found = await differences(live, right, cases)
                if replace:
                    await mend(live, right, found)
        return found

    async def _meet(self, live: AsyncConnection, shadow: Views, stream: str) -> None:
        """All up to the place acknowledged is in the model in use, and some of what follows: the rest is read again."""
        c = tables.positions.c
        kept = (await live.execute(select(c.seq).where(c.stream == stream))).scalar() or 0
        built, floor = await shadow.position(stream), await acknowledged(self._bus, stream)
        until = max(kept, built)
        missing = await entries_between(self._bus, stream, floor, until)
        if len(missing) > MOST_BEHIND:
            raise TooFarBehind(f"the views are {len(missing)} messages of {stream} behind")
        if missing:
            await keep_in(live, missing)
        if newer := await entries_between(self._bus, stream, built, until):
            await shadow.keep_all(newer)


def _line(found: Difference) -> Line:
    return {"event": "compared", "table": found.table, "differing": found.differing, "keys": found.keys}
