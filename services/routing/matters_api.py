"""The operator's questions about all cases: who waits where, who has no owner, how many of each."""

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.codes import Agency
from contracts.steps import OPERATOR
from services.routing.core.lifecycle import STATES
from services.routing.guarding import NO_STORE, guarded
from services.routing.keys import Holder, Keys
from services.routing.matter_queries import MatterQueries
from services.routing.matters import shown
from services.routing.paging import read_cursor, write_cursor
from services.routing.projecting import Row
from services.routing.stats import Stats
from services.routing.tallies import CELL
from services.runtime.clock import Clock
from services.runtime.http import problem

MOST = 200


class MatterDoors:
    """Reads only."""

    def __init__(self, keys: Keys, engine: AsyncEngine, clock: Clock) -> None:
        self._keys, self._clock = keys, clock
        self._queries, self._stats = MatterQueries(engine), Stats(engine)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/operator/cases", guarded(self._keys, self.waiting), methods=["GET"]),
            Route("/v1/operator/stats", guarded(self._keys, self.stats), methods=["GET"]),
        ]

    async def waiting(self, request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/cases?owner=…&state=…&orphans=true&over_limit=true`: open matters, the longest waiting first."""
        query = request.query_params
        try:
            owner, state = (
                _one_of(query.get("owner"), (*Agency, OPERATOR)),
                _one_of(query.get("state"), STATES),
            )
            limit, after = int(query.get("limit", "50")), read_cursor(query.get("cursor"))
            if not 1 <= limit <= MOST:
                raise ValueError
        except ValueError:
            detail = f"owner is an agency or {OPERATOR}, state one of {', '.join(STATES)}, limit 1 to {MOST}."
            return problem(400, "Not a query of this door", detail)
        orphans, late = query.get("orphans") == "true", query.get("over_limit") == "true"
        rows = await self._queries.waiting(owner, state, after, limit + 1, orphans=orphans, over_limit=late)
        more = _cursor(rows[limit - 1]) if len(rows) > limit else None
        return JSONResponse(
            {"matters": [shown(row) for row in rows[:limit]], "next_cursor": more}, headers=NO_STORE
        )

    async def stats(self, request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/stats?by=owner,state`: persons and cases; cells under five are hidden."""
        by = request.query_params.get("by", "owner,state").split(",")
        if not by or len(set(by)) != len(by) or not set(by) <= set(CELL):
            return problem(400, "Not a query of this door", f"by names some of {', '.join(CELL)}, each once.")
        return JSONResponse(await self._stats.answer(by, self._clock()), headers=NO_STORE)


def _one_of(text: str | None, known: object) -> str | None:
    if text is not None and text not in list(known):  # type: ignore[call-overload]
        raise ValueError
    return text


def _cursor(row: Row) -> str:
    return write_cursor(row["since"], f"{row['case_id']}/{row['ref']}")
