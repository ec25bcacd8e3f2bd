"""The operator's door to a rebuild of the read model: progress and result as lines of JSON."""

import json
from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.routing.bodies import REFUSALS, read_as, refused
from services.routing.guarding import NO_STORE, guarded
from services.routing.keys import Holder, Keys
from services.routing.rebuild import Line, Rebuild, TooFarBehind
from services.routing.shadow import Busy
from services.routing.views import Views
from services.runtime.bus import BrokerAway, Bus
from services.runtime.logs import log

PATH = "/v1/operator/rebuild"
LINES = "application/x-ndjson"


class Wish(BaseModel, extra="forbid"):
    """`replace`: make the model in use like the new one where they differ."""

    replace: bool = False


class RebuildDoors:
    """`bus` gives the connection, None while it is not there yet."""

    def __init__(self, keys: Keys, views: Views, bus: Callable[[], Bus | None]) -> None:
        self._keys, self._views, self._bus = keys, views, bus

    def routes(self) -> list[Route]:
        return [Route(PATH, guarded(self._keys, self.rebuild), methods=["POST"])]

    async def rebuild(self, request: Request, _holder: Holder) -> Response:
        """`POST /v1/operator/rebuild` with `{"replace": false}`."""
        bus = self._bus()
        try:
            wish = await read_as(request, Wish, 1000)
            if bus is None:
                raise BrokerAway(ambiguous=False)
        except REFUSALS as trouble:
            return refused(trouble)
        lines = self._lines(Rebuild(bus, self._views).run(replace=wish.replace))
        return StreamingResponse(lines, media_type=LINES, headers=NO_STORE)

    async def _lines(self, told: AsyncIterator[Line]) -> AsyncIterator[str]:
        """The answer has begun, so trouble is a line too: the last one."""
        try:
            async for line in told:
                yield json.dumps(line) + "\n"
                if line["event"] == "done":
                    log("views.compared", equal=line["equal"], replaced=line["replaced"])
        except (Busy, TooFarBehind, BrokerAway, SQLAlchemyError) as trouble:
            log("views.not_rebuilt", level="WARNING", error=type(trouble).__name__)
            yield json.dumps({"event": "failed", "why": _why(trouble)}) + "\n"


def _why(trouble: Exception) -> str:
    match trouble:
        case Busy():
            return "another rebuild is running; wait for it"
        case TooFarBehind():
            return f"{trouble}; wait until they have caught up, then run it again"
        case BrokerAway():
            return "the broker does not answer; run it again later"
    return "the database of the views does not answer; run it again later"
