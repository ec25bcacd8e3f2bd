"""The operator's door to the calendars: which are in force, what others would move, and putting others in force."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.events import CalendarLoaded
from services.routing.agencies.keyring import Scope
from services.routing.bodies import REFUSALS, later, read_as, refused
from services.routing.calendar_files import read_calendars, reference
from services.routing.calendar_law import CalendarLaw
from services.routing.guarding import NO_STORE, guarded
from services.routing.in_force import Overtaken
from services.routing.keys import Holder, Keys
from services.routing.paging import read_cursor, write_cursor
from services.routing.reckoning import Reckoning
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.bus import Bus
from services.runtime.http import problem

PATH = "/v1/operator/calendars"
MAX_BYTES = 700_000
"""Of all files; the event that carries them must fit into one message of the broker (1 MB)."""


class CalendarBody(BaseModel, extra="forbid"):
    """Every file of the calendars by name: `elections.yaml`, `holidays.csv` and `workdays.yaml`."""

    files: dict[str, str]


class TrialBody(CalendarBody):
    """`cursor` is the `next_cursor` of the page before."""

    cursor: Annotated[str, Field(max_length=200)] | None = None


class CalendarDoors:
    """`bus` and `reckoning` give what does the work, None while the broker is not connected yet."""

    def __init__(
        self,
        law: CalendarLaw,
        keys: Keys,
        bus: Callable[[], Bus | None],
        reckoning: Callable[[], Reckoning | None],
    ) -> None:
        self._law, self._keys, self._bus, self._reckoning = law, keys, bus, reckoning

    def routes(self) -> list[Route]:
        return [
            Route(PATH, guarded(self._keys, self.show), methods=["GET"]),
            Route(PATH, guarded(self._keys, self.load, Scope.MANAGE), methods=["PUT"]),
            Route(f"{PATH}/trial", guarded(self._keys, self.trial), methods=["POST"]),
        ]

    async def show(self, _request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/calendars`: which are in force now, and since when."""
        event = self._law.current
        return JSONResponse(_shown(event), headers=NO_STORE) if event else _away()

    async def load(self, request: Request, _holder: Holder) -> Response:
        """`PUT /v1/operator/calendars` with `{"files": {…}}`; loading what is in force changes nothing."""
        try:
            body = await read_as(request, CalendarBody, MAX_BYTES)
            bus = self._bus()
            if bus is None:
                return _away()
            event = await self._law.load(bus, _files(body))
        except BrokenRulebook as broken:
            return _broken(broken)
        except Overtaken:
            return problem(
                409, "Overtaken", "Other calendars were loaded at this moment; look at them first."
            )
        except REFUSALS as trouble:
            return refused(trouble)
        return JSONResponse(_shown(event), headers=NO_STORE)

    async def trial(self, request: Request, _holder: Holder) -> Response:
        """`POST /v1/operator/calendars/trial`: what they would move in one page of open matters; changes nothing."""
        try:
            body = await read_as(request, TrialBody, MAX_BYTES)
            calendars, workdays = await asyncio.to_thread(read_calendars, _files(body))
            after = read_cursor(body.cursor)
            reckoning = self._reckoning()
            if reckoning is None:
                return _away()
            page = await reckoning.trial(workdays, after)
        except BrokenRulebook as broken:
            return _broken(broken)
        except REFUSALS as trouble:
            return refused(trouble)
        except ValueError:
            return problem(400, "Not a cursor of ours", "Send the next_cursor of the page before, or none.")
        moved = Counter(str(limit.agency) for limits in page.moved.values() for limit in limits)
        answer = {
            "calendar": reference(calendars, workdays).model_dump(),
            "moved": dict(sorted(moved.items())),
            "cases": sorted(map(str, page.moved)),
            "next_cursor": write_cursor(*page.after) if page.after else None,
        }
        return JSONResponse(answer, headers=NO_STORE)


def _files(body: CalendarBody) -> dict[str, bytes]:
    return {name: text.encode() for name, text in body.files.items()}


def _broken(broken: BrokenRulebook) -> Response:
    faults = [str(fault) for fault in broken.faults]
    return problem(422, "Not calendars to count by", "Mend every fault.", faults=faults)


def _shown(event: CalendarLoaded) -> dict[str, object]:
    data = event.data
    return {
        "number": data.number,
        "calendar": data.calendar.model_dump(),
        "workdays": data.workdays.model_dump(),
        "previous": data.previous.model_dump() if data.previous else None,
        "loaded_at": event.time.isoformat(),
    }


def _away() -> Response:
    return later("The broker does not answer; try again later.")
