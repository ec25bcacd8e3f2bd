"""Events as they are stored, each read once in this process however many follow it: reading a decision is the most work."""

from functools import lru_cache

from pydantic import TypeAdapter

from contracts.events import AnyEvent

_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
RECENT = 512
"""The followers of a stream are rarely further apart; an event is at most a few dozen kB."""


@lru_cache(RECENT)
def event_in(body: bytes) -> AnyEvent:
    """The event; it is frozen, so all may share it. Raises ValidationError."""
    return _ANY.validate_json(body)
