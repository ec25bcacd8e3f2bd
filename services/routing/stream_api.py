"""An agency's door to its own event stream: how far it is, and a replay; the stream itself is read over NATS."""

from collections.abc import Callable
from typing import Annotated

from nats.errors import Error as NatsError
from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.agency_events import STREAM
from contracts.asyncapi import asyncapi_document
from contracts.report import Part as Strict
from contracts.topology import agency_consumer
from services.routing.agencies.keyring import Scope
from services.routing.bodies import REFUSALS, read_as, refused
from services.routing.guarding import NO_STORE, guarded
from services.routing.instants import Instant
from services.routing.keys import Holder, Keys
from services.runtime.bus import BrokerAway, Bus
from services.runtime.http import problem
from services.runtime.rewinding import NoSuchDurable, rewind

MAX_BYTES = 1_000


class Replay(Strict):
    """Exactly one of them: a place in the stream (`sequence`), or an instant with its zone (`since`)."""

    sequence: Annotated[int | None, Field(strict=True, ge=1, le=2**53)] = None
    since: Instant | None = None

    @model_validator(mode="after")
    def _one(self) -> "Replay":
        if (self.sequence is None) == (self.since is None):
            raise ValueError("give either sequence or since")
        return self


class StreamDoors:
    """`bus` gives the connection, None while it is not there yet."""

    def __init__(self, keys: Keys, bus: Callable[[], Bus | None]) -> None:
        self._keys, self._bus = keys, bus

    def routes(self) -> list[Route]:
        stream = "/v1/agencies/{agency}/stream"
        return [
            Route(stream, guarded(self._keys, self.show), methods=["GET"]),
            Route(f"{stream}/replays", guarded(self._keys, self.replay, Scope.DELIVERIES), methods=["POST"]),
            Route("/asyncapi.json", _asyncapi, methods=["GET"]),
        ]

    async def show(self, _request: Request, holder: Holder) -> Response:
        """`GET /v1/agencies/{agency}/stream`."""
        return await self._answer(holder, None)

    async def replay(self, request: Request, holder: Holder) -> Response:
        """`POST /v1/agencies/{agency}/stream/replays`."""
        try:
            return await self._answer(holder, await read_as(request, Replay, MAX_BYTES))
        except REFUSALS as trouble:
            return refused(trouble)

    async def _answer(self, holder: Holder, wanted: Replay | None) -> Response:
        durable, bus = agency_consumer(holder.agency, holder.office).name, self._bus()
        if bus is None:
            return refused(BrokerAway(ambiguous=False))
        try:
            if wanted:
                await rewind(bus.nc, STREAM, durable, sequence=wanted.sequence, since=wanted.since)
            info = await bus.js.consumer_info(STREAM, durable)
        except NoSuchDurable:
            return _no_stream()
        except (NatsError, TimeoutError) as trouble:
            if getattr(trouble, "err_code", None) == NoSuchDurable.code:
                return _no_stream()
            return refused(BrokerAway(ambiguous=True))
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        document = {
            "stream": STREAM,
            "durable": durable,
            "inbox_prefix": f"_INBOX_{durable}",
            "done_up_to": floor or 0,
            "waiting": info.num_pending or 0,
            "unacknowledged": info.num_ack_pending or 0,
        }
        return JSONResponse(document, headers=NO_STORE)


def _no_stream() -> Response:
    return problem(
        409, "No stream yet", "This key's body has no identity at the broker; ask the operator to issue one."
    )


async def _asyncapi(_request: Request) -> Response:
    return JSONResponse(asyncapi_document())
