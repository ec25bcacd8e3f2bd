"""The API document of the agencies' door."""

from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.decision import RulebookRef
from contracts.openapi import Answer, Operation, document
from services.routing.agencies.openapi import DIRECTORY
from services.routing.agencies.openapi_keys import KEYS
from services.routing.openapi_calendars import CALENDARS
from services.routing.openapi_inbox import KEY, READING, REFUSED
from services.routing.openapi_matches import MATCHES
from services.routing.openapi_rebuild import REBUILD
from services.routing.openapi_steps import QUESTIONS, STEPS
from services.routing.openapi_stream import STREAM
from services.routing.openapi_webhooks import WEBHOOKS


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class RulebookBody(Model):
    """Every file of a rulebook by name; `book.yaml` is the cover."""

    files: dict[str, str]


class RulebookAnswer(Model):
    """`number` counts the changes of law, from 1; `loaded_at` is UTC."""

    number: int
    rulebook: RulebookRef
    previous: RulebookRef | None
    loaded_at: str


class AnyDocument(BaseModel):
    """A document of another specification."""

    model_config = ConfigDict(extra="allow")


class Health(Model):
    status: str = "ok"


_OPERATOR = {401: REFUSED[401], 404: Answer("Not the operator's key.")}
_AWAY = Answer("The broker does not answer.", headers={"Retry-After": "Seconds to wait."})
_LAW = (
    Operation(
        "GET",
        "/v1/operator/rulebook",
        "The rulebook in force",
        "Only for the operator's key.",
        {200: Answer("What is the law now.", RulebookAnswer), **_OPERATOR, 503: _AWAY},
        security=KEY,
    ),
    Operation(
        "PUT",
        "/v1/operator/rulebook",
        "Make a rulebook the law",
        "Checked and proved first; the change is an event. Loading what is in force changes nothing.",
        {
            200: Answer("It is the law now.", RulebookAnswer),
            **_OPERATOR,
            408: Answer("The body did not arrive in time."),
            409: Answer("Another rulebook was loaded at the same moment."),
            413: Answer("The rulebook is too large."),
            422: Answer(
                "It cannot be decided by; `faults` names every one, with file:line:column or the field."
            ),
            503: _AWAY,
        },
        request=RulebookBody,
        security=KEY,
    ),
)
_OPEN = (
    Operation("GET", "/healthz", "Alive", "The process runs.", {200: Answer("It runs.", Health)}),
    Operation(
        "GET",
        "/readyz",
        "Ready",
        "Database, broker and law are there.",
        {200: Answer("It can work.", Health), 503: Answer("What is missing; the reasons are in the answer.")},
    ),
    Operation("GET", "/openapi.json", "This document", "OpenAPI 3.1.", {200: Answer("It.", AnyDocument)}),
    Operation(
        "GET",
        "/asyncapi.json",
        "The event stream's document",
        "AsyncAPI 3.",
        {200: Answer("It.", AnyDocument)},
    ),
)
_EVERYWHERE = {
    403: Answer("The key lacks the scope.", headers={"WWW-Authenticate": "Bearer"}),
    503: Answer("Not just now.", headers={"Retry-After": "Seconds to wait."}),
}
_OF_AGENCIES = {
    **_EVERYWHERE,
    429: Answer(
        "This key asks too often.",
        headers={
            "Retry-After": "Seconds to wait.",
            "RateLimit": "What is left, and for how long.",
            "RateLimit-Policy": "How many in how many seconds.",
        },
    ),
}


@cache  # whoever asks for it, without a key, must not have it made anew each time
def api_document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    doors = (
        *READING,
        *STEPS,
        *QUESTIONS,
        *MATCHES,
        *_LAW,
        *CALENDARS,
        *DIRECTORY,
        *KEYS,
        *STREAM,
        *WEBHOOKS,
        *REBUILD,
        *_OPEN,
    )
    return document(
        "Netral: agencies",
        "1.0.0",
        ["/"],
        [_guarded(door) for door in doors],
        security_schemes={KEY: {"type": "http", "scheme": "bearer"}},
    )


def _guarded(door: Operation) -> Operation:
    """The door with what every guarded one may answer besides its own."""
    if door.security is None:
        return door
    shared = _OF_AGENCIES if "{agency}" in door.path else _EVERYWHERE
    return replace(door, answers=dict(sorted({**shared, **door.answers}.items())))
