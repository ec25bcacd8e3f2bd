"""The AsyncAPI 3.0 document of the agencies' event stream, made from the models that are published."""

from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from contracts.agency_events import AGENCY_EVENTS, STREAM
from contracts.case_events import DueLevel
from contracts.codes import Agency
from contracts.envelope import Event

Json = Any
VERSION = "1.0.0"
KINDS = ("offered", "stepped", "due")
_ADDRESSES = {
    "offered": "told.{agency}.{office}.{case_id}.offered.{number}",
    "stepped": "told.{agency}.{office}.{case_id}.stepped.{number}",
    "due": "told.{agency}.{office}.{case_id}.due.{ref}.{day}.{level}",
}
_PARAMETERS: dict[str, dict[str, Json]] = {
    "agency": {"description": "Whose event it is.", "enum": [str(agency) for agency in Agency]},
    "office": {
        "description": "The office in one word: `pusat`, `prov-16`, `kabkota-16-07`; `any` where it is not known."
    },
    "case_id": {"description": "The case, a UUID."},
    "number": {"description": "The step of the case; 0 is its opening."},
    "ref": {"description": "The person of the case: `p1`, `p2`, …"},
    "day": {"description": "The last day in time, YYYY-MM-DD."},
    "level": {"description": "How late it is.", "enum": [str(level) for level in DueLevel]},
}
_HOW = f"""The events Netral tells each office of each agency. Content is thin: codes, dates, ids and a link below the
address of the agencies' door; read the case there with your own key.

How to read them, with any client of NATS 2.10 or later:

1. The operator issues a seed (NKEY, `SU…`), the name of your durable (`BKN`, or `BKN-prov-16` for one office) and the
   broker's address. Connect with the seed and the inbox prefix `_INBOX_{{durable}}`, which is the only one you may hear.
2. Ask for messages: publish `{{"batch": 10, "expires": 5000000000}}` (nanoseconds) to
   `$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{{durable}}` with a reply below your inbox prefix. Most clients call it a pull
   consumer, bound to stream `{STREAM}` and your durable, without asking for its description, which you may not.
   Messages with a header `Status` (100, 404, 408, 409) and no body are answers of the broker, not events.
3. After you have handled a message, publish `+ACK` to its reply subject. What is not acknowledged within 60 s comes again,
   without end; `-NAK {{"delay": 30000000000}}` asks for it later. Nobody but you waits for you.
4. Events may come more than once: remember the `id` of each, it stays the same over every repetition and replay.
   Those of one case come in their order, unless you let one come later.
5. To have events again, `POST /v1/agencies/{{agency}}/stream/replays` at the agencies' door.
Pass over kinds of events and fields you do not know: they are only ever added."""


@cache
def asyncapi_document() -> dict[str, Json]:
    """AsyncAPI 3.0.0 as a JSON value. Operations are Netral's: it sends, an agency receives."""
    models = dict(zip(KINDS, AGENCY_EVENTS, strict=True))
    references, schemas = models_json_schema(
        [(model, "serialization") for model in AGENCY_EVENTS], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "id": "urn:netral:agencies",
        "info": {"title": "Netral: the agencies' event stream", "version": VERSION, "description": _HOW},
        "defaultContentType": "application/cloudevents+json",
        "servers": {"broker": _server()},
        "channels": {kind: _channel(kind, models[kind]) for kind in KINDS},
        "operations": {f"tell{kind.capitalize()}": _operation(kind, models[kind]) for kind in KINDS},
        "components": {
            "messages": {m.__name__: _message(m, references[m, "serialization"]) for m in AGENCY_EVENTS},
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "nkey": {"type": "asymmetricEncryption", "description": "An NKEY of ed25519; a seed SU…"}
            },
        },
    }


def _server() -> dict[str, Json]:
    return {
        "host": "{host}",
        "protocol": "nats",
        "description": "NATS 2.15 with JetStream, over TLS outside of one machine.",
        "variables": {"host": {"default": "127.0.0.1:4222", "description": "As the operator tells you."}},
        "security": [{"$ref": "#/components/securitySchemes/nkey"}],
    }


def _channel(kind: str, model: type[Event]) -> dict[str, Json]:
    address = _ADDRESSES[kind]
    return {
        "address": address,
        "description": _first_line(model),
        "parameters": {name: p for name, p in _PARAMETERS.items() if f"{{{name}}}" in address},
        "messages": {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}},
        "x-netral-stream": STREAM,
    }


def _operation(kind: str, model: type[Event]) -> dict[str, Json]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{kind}"},
        "summary": _first_line(model),
        "messages": [{"$ref": f"#/channels/{kind}/messages/{model.__name__}"}],
    }


def _message(model: type[Event], payload: dict[str, Json]) -> dict[str, Json]:
    return {
        "name": model.model_fields["type"].default,
        "title": model.__name__,
        "summary": _first_line(model),
        "contentType": "application/cloudevents+json",
        "correlationId": {"location": "$message.payload#/subject", "description": "The case."},
        "payload": payload,
    }


def _first_line(model: type[Event]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]
