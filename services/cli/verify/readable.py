"""Reads an event as everybody reads it, by its contract: what that refuses, no service and no agency can handle."""

from pydantic import TypeAdapter, ValidationError

from contracts.agency_events import AnyAgencyEvent
from contracts.events import AnyEvent

_READERS: TypeAdapter[AnyEvent | AnyAgencyEvent] = TypeAdapter(AnyEvent | AnyAgencyEvent)


def unread_in(body: bytes) -> str | None:
    """Where an event is not as its contract says; never what stands there."""
    try:
        _READERS.validate_json(body)
    except ValidationError as refused:
        return ".".join(map(str, refused.errors(include_input=False)[0]["loc"]))
    return None
