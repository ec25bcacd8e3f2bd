"""The doors to what was pushed: lists and attempts, replays, and what the receiver says it did."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.codes import Agency
from services.routing.agencies.keyring import Scope
from services.routing.bodies import read_as
from services.routing.core.deliveries import State
from services.routing.delivery.questions import Questions, Wanted
from services.routing.delivery.store import Row
from services.routing.guarding import NO_STORE, guarded, nothing_here
from services.routing.instants import in_utc
from services.routing.keys import OPERATOR, Holder, Keys
from services.routing.paging import read_cursor, write_cursor
from services.routing.webhook_requests import Handling, Replay
from services.routing.webhooks_api import MAX_BYTES, refusing
from services.routing.words import Words
from services.runtime.http import problem

MOST = 200
HANDLED = ("processed", "not_found", "refused")


class DeliveryDoors:
    """A holder sees what went to its own endpoints; the operator sees all, and the sealed reasons."""

    def __init__(self, keys: Keys, questions: Questions, words: Words) -> None:
        self._keys, self._questions, self._words = keys, questions, words

    def routes(self) -> list[Route]:
        agency, operator = "/v1/agencies/{agency}/deliveries", "/v1/operator/deliveries"
        doors = [
            *((f"{root}", "GET", self.every) for root in (agency, operator)),
            *((f"{root}/{{delivery_id}}", "GET", self.one) for root in (agency, operator)),
            *((f"{root}/replay", "POST", self.replay) for root in (agency, operator)),
            *((f"{agency}/{{delivery_id}}/{handled}", "POST", self._handled(handled)) for handled in HANDLED),
        ]
        return [
            Route(path, guarded(self._keys, refusing(door), Scope.DELIVERIES), methods=[method])
            for path, method, door in doors
        ]

    async def every(self, request: Request, holder: Holder) -> Response:
        """`GET …/deliveries?state=…&handled=…&endpoint_id=…&since=…&until=…`, in the order they were queued."""
        query = request.query_params
        try:
            limit, after = int(query.get("limit", "50")), read_cursor(query.get("cursor"))
            if not 1 <= limit <= MOST:
                raise ValueError
            wanted = Wanted(
                agency=_agency(holder, query.get("agency")),
                office=holder.office,
                endpoint_id=str(UUID(query["endpoint_id"])) if "endpoint_id" in query else None,
                state=State(query["state"]) if "state" in query else None,
                handled=_one_of(query.get("handled"), HANDLED),
                since=_instant(query.get("since")),
                until=_instant(query.get("until")),
            )
        except ValueError:
            detail = (
                f"state is one of {', '.join(State)}, handled one of {', '.join(HANDLED)}, since and until instants "
                f"with a zone, limit 1 to {MOST}, cursor the one you were given."
            )
            return problem(400, "Not a query of this door", detail)
        rows = await self._questions.deliveries(wanted, after, limit + 1)
        more = None
        if len(rows) > limit:
            more = write_cursor(rows[limit - 1]["created_at"], rows[limit - 1]["delivery_id"])
        shown = [self._shown(row, holder) for row in rows[:limit]]
        return JSONResponse({"deliveries": shown, "next_cursor": more}, headers=NO_STORE)

    async def one(self, request: Request, holder: Holder) -> Response:
        """`GET …/deliveries/{delivery_id}` with every attempt."""
        rows = await self._questions.deliveries(_this(request, holder), None, 1)
        if not rows:
            return nothing_here()
        tried = [_attempt(row) for row in await self._questions.attempts(rows[0]["delivery_id"])]
        return JSONResponse({**self._shown(rows[0], holder), "attempts": tried}, headers=NO_STORE)

    async def replay(self, request: Request, holder: Holder) -> Response:
        """`POST …/deliveries/replay`; with the same `Idempotency-Key` it is done once."""
        body = await read_as(request, Replay, 3 * MAX_BYTES)
        key = request.headers.get("idempotency-key", "").strip()[:100]
        wanted = Wanted(
            agency=body.agency if holder.agency == OPERATOR else holder.agency,
            office=holder.office,
            endpoint_id=str(body.endpoint_id) if body.endpoint_id else None,
            state=body.state,
            ids=tuple(str(each) for each in body.ids),
            since=body.since,
            until=body.until,
        )
        whole = f"{holder.agency}/{holder.office or ''}/{key}" if key else None
        return JSONResponse({"replayed": await self._questions.replay(wanted, whole)}, headers=NO_STORE)

    def _handled(self, handled: str) -> Callable[[Request, Holder], Awaitable[Response]]:
        async def through(request: Request, holder: Holder) -> Response:
            body = await read_as(request, Handling, MAX_BYTES)
            if handled == "refused" and not body.article:
                fault = "article: names the law you refuse by; add it"
                return problem(422, "Refused by which law?", "Mend every fault.", faults=[fault])
            wanted = _this(request, holder)
            words = {name: text for name in ("reason", "article") if (text := getattr(body, name))}
            sealed = self._words.seal(UUID(wanted.ids[0]), 0, words)
            row = await self._questions.handle(wanted, handled, sealed)
            return JSONResponse(self._shown(row, holder), headers=NO_STORE) if row else nothing_here()

        return through

    def _shown(self, row: Row, holder: Holder) -> Row:
        names = ("told_at", "next_attempt_at", "created_at", "ended_at", "handled_at")
        instants = {name: row[name].isoformat() if row[name] else None for name in names}
        opened = (
            self._words.open(UUID(row["delivery_id"]), 0, row["sealed"]) if holder.agency == OPERATOR else {}
        )
        plain = {name: value for name, value in row.items() if name != "sealed"}
        waits = row["state"] == State.PENDING
        return {
            **plain,
            **instants,
            "next_attempt_at": instants["next_attempt_at"] if waits else None,
            **({"words": opened} if opened else {}),
        }


def _this(request: Request, holder: Holder) -> Wanted:
    """One delivery of the holder's; an id that is none fits nothing."""
    try:
        key = UUID(request.path_params["delivery_id"])
    except ValueError:
        key = UUID(int=0)
    return Wanted(agency=_agency(holder, None), office=holder.office, ids=(str(key),))


def _agency(holder: Holder, asked: str | None) -> str | None:
    """Whose deliveries: the holder's own; the operator may ask for one agency. Raises ValueError."""
    if holder.agency != OPERATOR:
        return holder.agency
    return Agency(asked) if asked else None


def _attempt(row: Row) -> Row:
    return {**{name: row[name] for name in row if name != "delivery_id"}, "at": row["at"].isoformat()}


def _one_of(text: str | None, known: tuple[str, ...]) -> str | None:
    if text is not None and text not in known:
        raise ValueError
    return text


def _instant(text: str | None) -> datetime | None:
    return None if text is None else in_utc(datetime.fromisoformat(text))
