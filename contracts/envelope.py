"""The envelope of every event: CloudEvents 1.0 in structured JSON, with an id derived from its cause."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.decision import Part
from contracts.ids import derived_id


class Event(Part):
    """A CloudEvent. `id` is derived from the cause, so a repeated event is recognisably the same one.

    `subject` is the CloudEvents attribute (the case or report), not the NATS subject; `time` is UTC.
    """

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"


def event_id(cause: UUID, *what: str) -> UUID:
    """The id of an event, from what caused it and what it says."""
    return derived_id(cause, "event", *what)
