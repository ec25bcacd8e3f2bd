"""An agency's door to what happened: the same events as webhooks and its stream carry, from a place on, without a gap.

A place is a number of the stream and a mark of the event that stood there. Where another one stands there by now, the stream
was made anew or restored, and everything is told again from the first: whoever asks drops what it has.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts import regions
from contracts.agency_events import STREAM, office_token
from services.routing.bodies import later
from services.routing.guarding import NO_STORE, guarded, who_are_you
from services.routing.keys import Holder, Keys
from services.runtime.bus import BrokerAway, Bus
from services.runtime.http import problem, stopping
from services.runtime.reading import Stored, at_leader, page_of

MOST = 200
LONGEST_WAIT = 30
LOOK_SECONDS = 0.5
"""How often a waiting request looks again."""
MARK = 12
"""Characters of an event's id that tell which one stood at a place."""
_LARGEST = 2**53


class _Asked(NamedTuple):
    given: str
    after: int
    limit: int
    wait: int
    office: str | None


class EventDoors:
    """`bus` gives the connection, None while it is not there yet."""

    def __init__(self, keys: Keys, bus: Callable[[], Bus | None]) -> None:
        self._keys, self._bus = keys, bus

    def routes(self) -> list[Route]:
        return [Route("/v1/agencies/{agency}/events", guarded(self._keys, self.events), methods=["GET"])]

    async def events(self, request: Request, holder: Holder) -> Response:
        """`GET /v1/agencies/{agency}/events` after `Last-Event-ID`; `Prefer: wait=20` waits for one."""
        try:
            asked = _asked(request)
        except ValueError as fault:
            return problem(400, "Not a query of this door", f"{fault}.")
        office = holder.office or asked.office
        subjects = f"told.{holder.agency}.{office_token(office) if office else '*'}.>"
        try:
            found = await self._found(
                asked, subjects, lambda: self._keys.stands(holder) and not stopping(request.scope)
            )
        except BrokerAway:
            return later("The broker does not answer; ask again with the same Last-Event-ID.")
        if not self._keys.stands(holder):
            return who_are_you()
        told = [{"id": str(one.seq), "event": json.loads(one.body)} for one in found]
        last = _place(found[-1]) if found else asked.given
        document = {"events": told, "last_event_id": last, "more": len(told) == asked.limit}
        applied = {"Preference-Applied": f"wait={asked.wait}"} if asked.wait else {}
        return JSONResponse(document, headers={**NO_STORE, **applied})

    async def _found(self, asked: _Asked, subjects: str, may_wait: Callable[[], bool]) -> list[Stored]:
        """What there is, waited for while that may be. Raises BrokerAway."""
        bus = self._bus()
        if bus is None:
            raise BrokerAway(ambiguous=False)
        after = asked.after if await stands(bus, asked.given) else 0
        for _ in range(int(asked.wait / LOOK_SECONDS) + 1):
            found = await page_of(bus, STREAM, after + 1, subjects=subjects, most=asked.limit)
            if found or not asked.wait or not may_wait():
                return found
            await asyncio.sleep(LOOK_SECONDS)
        return []


async def stands(bus: Bus, place: str) -> bool:
    """Whether the event given last, by whatever filter, is where it was; a number alone is believed. Raises BrokerAway.

    Another copy of the stream may have given it than the one that is asked now, which may not hold it yet.
    """
    seq, _, mark = place.partition("-")
    if not mark or [_place(one) for one in await page_of(bus, STREAM, int(seq), most=1)] == [place]:
        return True
    held = await at_leader(bus, STREAM, int(seq))
    return held is not None and _place(held) == place


def _place(stored: Stored) -> str:
    """Where an event stands, and which one it is."""
    return f"{stored.seq}-{json.loads(stored.body)['id'].replace('-', '')[:MARK]}"


def _asked(request: Request) -> _Asked:
    """Raises ValueError with cause and cure."""
    query = request.query_params
    if unknown := sorted(set(query) - {"after", "limit", "office"}):
        raise ValueError(f"{unknown[0][:40]} is no parameter here; there are after, limit and office")
    given = query.get("after", request.headers.get("last-event-id", "0"))
    after, _, mark = given.partition("-")
    cure = "Last-Event-ID (or after) is the last_event_id you were given"
    if "-" in given and not (after.strip("0") and len(mark) == MARK and set(mark) <= set("0123456789abcdef")):
        raise ValueError(cure)
    found = _Asked(
        given,
        _number(after, 0, _LARGEST, cure),
        _number(query.get("limit", "100"), 1, MOST, f"limit is a number from 1 to {MOST}"),
        _wait(request.headers),
        query.get("office"),
    )
    if found.office:
        try:
            regions.label_of(found.office)
        except KeyError:
            raise ValueError("office is pusat, prov:PP or kabkota:PP.KK") from None
    return found


def _number(text: str, least: int, most: int, cure: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 17 and least <= int(text) <= most:
        return int(text)
    raise ValueError(cure)


def _wait(headers: Mapping[str, str]) -> int:
    """Seconds of `Prefer: wait=…` (RFC 7240); what cannot be read is no preference."""
    for preference in headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.isascii() and value.isdecimal():
            return min(int(value[:4]), LONGEST_WAIT)
    return 0
