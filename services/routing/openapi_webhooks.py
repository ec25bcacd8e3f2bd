"""The part of the API document that is about push: endpoints, deliveries, and what a receiver says it did."""

from collections.abc import Iterable

from pydantic import BaseModel

from contracts.codes import Agency
from contracts.openapi import Answer, Operation, Parameter
from services.routing.agencies.openapi import NO_KEY, NOT_THIS_KEY
from services.routing.core.deliveries import State
from services.routing.webhook_answers import (
    DeliveriesAnswer,
    DeliveryAnswer,
    DeliveryWithAttempts,
    EndpointAnswer,
    EndpointsAnswer,
    EndpointWithKey,
    PingAnswer,
    ReplayAnswer,
)
from services.routing.webhook_requests import Handling, Movement, NewEndpoint, Replay, Rotation

_KEY = "key"
_NOTHING = Answer("There is no such thing for this key: unknown and not yours answer alike.")
_AWAY = Answer("Broker or database does not answer.", headers={"Retry-After": "Seconds to wait."})
_TOO_OFTEN = Answer("This key asks too often.", headers={"Retry-After": "Seconds to wait."})
_CLOSED = {401: NO_KEY, 403: NOT_THIS_KEY, 404: _NOTHING, 429: _TOO_OFTEN, 503: _AWAY}
_BODY = {
    408: Answer("The body did not arrive in time."),
    413: Answer("The body is too large."),
    422: Answer(
        "It is refused; `faults` names every fault, or the cause and the setting that opens an address."
    ),
}
_NOT_NOW = {409: Answer("Not possible now: the cause and the cure.")}
_QUERY = (
    Parameter("state", "Only these.", where="query", schema={"enum": [str(state) for state in State]}),
    Parameter(
        "handled", "Only these.", where="query", schema={"enum": ["processed", "not_found", "refused"]}
    ),
    Parameter(
        "endpoint_id", "Only of this endpoint.", where="query", schema={"type": "string", "format": "uuid"}
    ),
    Parameter("since", "Queued at this instant or later, with a zone.", where="query"),
    Parameter("until", "Queued before this instant, with a zone.", where="query"),
    Parameter(
        "limit",
        "Deliveries on a page.",
        where="query",
        schema={"type": "integer", "minimum": 1, "maximum": 200},
    ),
    Parameter("cursor", "The next_cursor of the page before.", where="query"),
)
_OF = Parameter("agency", "Only of this agency.", where="query", schema={"enum": [str(a) for a in Agency]})
_ONCE = Parameter("Idempotency-Key", "The same key is one replay, however often it is sent.")


_SHOWN, _KEYED = Answer("The endpoint.", EndpointAnswer), Answer("With its key.", EndpointWithKey)
_ENDPOINTS: tuple[tuple[str, str, str, str, dict[int, Answer], type[BaseModel] | None], ...] = (
    ("GET", "", "Endpoints", "With their health.", {200: Answer("All of them.", EndpointsAnswer)}, None),
    (
        "POST",
        "",
        "Register an endpoint",
        "The address is checked; nothing goes there before it is proved. The key is shown now and never again.",
        {201: _KEYED, **_NOT_NOW},
        NewEndpoint,
    ),
    (
        "PATCH",
        "/{endpoint_id}",
        "Move an endpoint",
        "The new address answers the challenge first; then what is queued goes there.",
        {200: _SHOWN, **_NOT_NOW},
        Movement,
    ),
    (
        "DELETE",
        "/{endpoint_id}",
        "Delete an endpoint",
        "What was queued stays held.",
        {200: _SHOWN, **_NOT_NOW},
        None,
    ),
    (
        "POST",
        "/{endpoint_id}/prove",
        "Prove an endpoint",
        "Sends the challenge; echoed, it is active and what was held goes out. Also after DISABLED or SUSPENDED.",
        {200: _SHOWN, **_NOT_NOW},
        None,
    ),
    (
        "POST",
        "/{endpoint_id}/rotate",
        "Rotate the key",
        "Both keys sign while they overlap; the new one is shown now and never again.",
        {200: _KEYED, **_NOT_NOW},
        Rotation,
    ),
    (
        "POST",
        "/{endpoint_id}/ping",
        "Send a test",
        "One message, now.",
        {200: Answer("What came of it.", PingAnswer)},
        None,
    ),
)


def _endpoints(root: str) -> Iterable[Operation]:
    for method, path, summary, text, answers, request in _ENDPOINTS:
        known = {**answers, **_CLOSED, **(_BODY if request else {})}
        where = f"{root}/webhooks{path}"
        yield Operation(method, where, summary, text, known, request=request, security=_KEY)


def _deliveries(root: str, query: tuple[Parameter, ...]) -> Iterable[Operation]:
    every = f"{root}/deliveries"
    bad = {400: Answer("The query is not one of this door.")}
    yield Operation(
        "GET",
        every,
        "Deliveries",
        "What was pushed, in the order it was queued. HELD waits until somebody replays it.",
        {200: Answer("A page.", DeliveriesAnswer), **bad, **_CLOSED},
        parameters=query,
        security=_KEY,
    )
    yield Operation(
        "GET",
        f"{every}/{{delivery_id}}",
        "A delivery",
        "With every attempt; never what was sent or answered.",
        {200: Answer("The delivery.", DeliveryWithAttempts), **_CLOSED},
        security=_KEY,
    )
    yield Operation(
        "POST",
        f"{every}/replay",
        "Replay deliveries",
        "Begins their schedule anew, under the same webhook-id. Only endpoints in use are sent to.",
        {200: Answer("How many.", ReplayAnswer), **_CLOSED, **_BODY},
        request=Replay,
        parameters=(_ONCE,),
        security=_KEY,
    )


_HANDLED = tuple(
    Operation(
        "POST",
        f"/v1/agencies/{{agency}}/deliveries/{{delivery_id}}/{name}",
        summary,
        "Delivered is not handled: say what you did with it. The last word counts.",
        {200: Answer("The delivery.", DeliveryAnswer), **_CLOSED, **_BODY},
        request=Handling,
        security=_KEY,
    )
    for name, summary in (
        ("processed", "It was taken in"),
        ("not_found", "The case is not known here"),
        ("refused", "It is refused, by an article"),
    )
)
WEBHOOKS = (
    *_endpoints("/v1/agencies/{agency}"),
    *_deliveries("/v1/agencies/{agency}", _QUERY),
    *_HANDLED,
    *_endpoints("/v1/operator"),
    *_deliveries("/v1/operator", (*_QUERY, _OF)),
)
