"""The doors by which agencies and the operator keep webhook endpoints. Keys are shown once, when they are made."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.webhooks import EndpointChange, EndpointChangedData, EndpointState
from services.routing.agencies.keyring import Scope
from services.routing.bodies import REFUSALS, read_as, refused
from services.routing.core.targets import Refused
from services.routing.delivery.endpoints import Crossed
from services.routing.delivery.push import Push
from services.routing.delivery.signing_keys import rotated
from services.routing.guarding import NO_STORE, guarded, nothing_here
from services.routing.keys import OPERATOR, Holder, Keys
from services.routing.webhook_requests import Movement, NewEndpoint, Rotation
from services.runtime.clock import Clock
from services.runtime.http import problem

MAX_BYTES = 20_000
Door = Callable[[Request, Holder], Awaitable[Response]]
Work = Callable[[Request, Holder, EndpointChangedData], Awaitable[Response]]


class WebhookDoors:
    """An agency keeps its own endpoints, an office's key those of its office, the operator all."""

    def __init__(self, keys: Keys, push: Push, clock: Clock) -> None:
        self._keys, self._push, self._clock = keys, push, clock

    def routes(self) -> list[Route]:
        one: tuple[tuple[str, str, Work], ...] = (
            ("", "PATCH", self.move),
            ("", "DELETE", self.remove),
            ("/prove", "POST", self.prove),
            ("/rotate", "POST", self.rotate),
            ("/ping", "POST", self.ping),
        )
        found = []
        for root in ("/v1/agencies/{agency}", "/v1/operator"):
            for method, door in (("GET", self.every), ("POST", self.register)):
                path = f"{root}/webhooks"
                found.append(
                    Route(path, guarded(self._keys, refusing(door), Scope.DELIVERIES), methods=[method])
                )
            for name, method, work in one:
                path = f"{root}/webhooks/{{endpoint_id}}{name}"
                found.append(
                    Route(
                        path,
                        guarded(self._keys, refusing(self._of(work)), Scope.DELIVERIES),
                        methods=[method],
                    )
                )
        return found

    async def every(self, _request: Request, holder: Holder) -> Response:
        """`GET …/webhooks`: each endpoint, and what a human should see to."""
        whose = None if holder.agency == OPERATOR else holder.agency
        found = await self._push.endpoints.of(whose, holder.office)
        return JSONResponse({"endpoints": await self._shown(found)}, headers=NO_STORE)

    async def register(self, request: Request, holder: Holder) -> Response:
        """`POST …/webhooks`: the address is checked, nothing is sent yet; the key is in the answer and never again."""
        body = await read_as(request, NewEndpoint, MAX_BYTES)
        agency = body.agency if holder.agency == OPERATOR else holder.agency
        if agency is None or (holder.agency != OPERATOR and body.agency not in (None, holder.agency)):
            return problem(422, "Whose?", "The operator names the agency; an agency registers its own only.")
        office = body.office or holder.office
        if holder.office not in (None, office):
            return problem(
                422, "Whose?", "This key is of one office and registers that office's endpoints only."
            )
        target = await self._push.poster.check(agency, body.url)
        endpoint = await self._push.endpoints.register(
            agency, office, target.url, body.signing, _speaker(holder)
        )
        return await self._answer(endpoint, key=True, status=201)

    async def move(self, request: Request, holder: Holder, endpoint: EndpointChangedData) -> Response:
        """`PATCH …/webhooks/{endpoint_id}`: the new address proves itself first; what is queued then goes there."""
        body = await read_as(request, Movement, MAX_BYTES)
        target = await self._push.poster.check(endpoint.agency, body.url)
        return await self._proved(endpoint, target.url, EndpointChange.MOVED, holder)

    async def prove(self, _request: Request, holder: Holder, endpoint: EndpointChangedData) -> Response:
        """`POST …/prove`: sends the challenge; whoever echoes it is sent to, beginning with what was held."""
        return await self._proved(endpoint, endpoint.url, EndpointChange.PROVED, holder)

    async def rotate(self, request: Request, holder: Holder, endpoint: EndpointChangedData) -> Response:
        """`POST …/rotate`: another key, in the answer and never again; the old one signs too while they overlap."""
        body = await read_as(request, Rotation, MAX_BYTES)
        keys = rotated(endpoint.keys, self._clock(), timedelta(hours=body.overlap_hours))
        changed = await self._push.endpoints.change(
            endpoint, EndpointChange.ROTATED, _speaker(holder), keys=keys
        )
        return await self._answer(changed, key=True)

    async def remove(self, _request: Request, holder: Holder, endpoint: EndpointChangedData) -> Response:
        """`DELETE …/webhooks/{endpoint_id}`: nothing more goes there; what was queued stays visible as held."""
        state = EndpointState.DELETED
        changed = await self._push.endpoints.change(
            endpoint, EndpointChange.DELETED, _speaker(holder), state=state
        )
        return await self._answer(changed)

    async def ping(self, _request: Request, _holder: Holder, endpoint: EndpointChangedData) -> Response:
        """`POST …/ping`: one test message, now; it counts for nothing."""
        if endpoint.state is EndpointState.DELETED:
            return nothing_here()
        outcome = await self._push.prover.ping(endpoint)
        document = {"outcome": outcome.verdict, "answer": outcome.code}
        return JSONResponse(document, headers=NO_STORE)

    async def _proved(
        self, endpoint: EndpointChangedData, url: str, change: EndpointChange, holder: Holder
    ) -> Response:
        if endpoint.state is EndpointState.DELETED:
            return nothing_here()
        if reason := await self._push.prover.failure(endpoint, url):
            return problem(409, "Not proved", f"{reason[0].upper()}{reason[1:]}.")
        changed = await self._push.endpoints.change(
            endpoint, change, _speaker(holder), url=url, state=EndpointState.ACTIVE
        )
        self._push.sender.due.set()
        return await self._answer(changed)

    def _of(self, work: Work) -> Door:
        """A door to one endpoint; what is not yours equals what does not exist."""

        async def through(request: Request, holder: Holder) -> Response:
            endpoint = await self._push.endpoints.find(request.path_params["endpoint_id"].strip().lower())
            mine = endpoint and holder.agency in (OPERATOR, endpoint.agency)
            if endpoint is None or not mine or holder.office not in (None, endpoint.office):
                return nothing_here()
            return await work(request, holder, endpoint)

        return through

    async def _answer(
        self, endpoint: EndpointChangedData, *, key: bool = False, status: int = 200
    ) -> Response:
        (shown,) = await self._shown([endpoint])
        document = {**shown, **({"key": self._push.keys.shown(endpoint)} if key else {})}
        return JSONResponse(document, status, headers=NO_STORE)

    async def _shown(self, found: list[EndpointChangedData]) -> list[dict[str, Any]]:
        known = await self._push.questions.overview([str(endpoint.endpoint_id) for endpoint in found])
        return [_endpoint(endpoint, known[str(endpoint.endpoint_id)]) for endpoint in found]


def _endpoint(endpoint: EndpointChangedData, known: dict[str, Any]) -> dict[str, Any]:
    state = known["health"]
    return {
        **endpoint.model_dump(mode="json", include={"endpoint_id", "number", "agency", "office", "url"}),
        **endpoint.model_dump(mode="json", include={"signing", "keys", "state"}),
        "pending": known["pending"],
        "held": known["held"],
        "failing_since": state.failing_since.isoformat() if state.failing_since else None,
        "next_probe_at": state.probe_at.isoformat() if state.probe_at else None,
        "attention": sorted(state.raised),
    }


def _speaker(holder: Holder) -> str:
    return f"{holder.agency}/{holder.office}" if holder.office else holder.agency


def refusing(door: Door) -> Door:
    """Turns what stands in the way into an answer."""

    async def through(request: Request, holder: Holder) -> Response:
        try:
            return await door(request, holder)
        except Refused as refusal:
            reason = f"{refusal.reason[0].upper()}{refusal.reason[1:]}."
            return problem(422, "Not an address for webhooks", reason, faults=[refusal.reason])
        except Crossed as crossed:
            return problem(409, "Impossible now", f"{str(crossed)[0].upper()}{str(crossed)[1:]}.")
        except REFUSALS as trouble:
            return refused(trouble)

    return through
