"""What the API document says of an agency's door to its own event stream."""

from pydantic import BaseModel

from contracts.openapi import Answer, Operation
from services.routing.stream_api import Replay


class StreamAnswer(BaseModel):
    """What to connect with, and how far this body is: events handled up to, still to come, and given but not done."""

    stream: str
    durable: str
    inbox_prefix: str
    done_up_to: int
    waiting: int
    unacknowledged: int


_ANSWERS = {
    200: Answer("How far the stream is.", StreamAnswer),
    401: Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"}),
    403: Answer("The key lacks the scope.", headers={"WWW-Authenticate": "Bearer"}),
    404: Answer("Not the key of this agency."),
    409: Answer("This body has no identity at the broker yet."),
    503: Answer("The broker does not answer.", headers={"Retry-After": "Seconds to wait."}),
}
STREAM = (
    Operation(
        "GET",
        "/v1/agencies/{agency}/stream",
        "How far the event stream is",
        "The stream itself is read over NATS: /asyncapi.json.",
        _ANSWERS,
        security="key",
    ),
    Operation(
        "POST",
        "/v1/agencies/{agency}/stream/replays",
        "Have events again",
        "From a place or an instant on; ids stay the same. What was not acknowledged yet is never passed over.",
        {
            **_ANSWERS,
            408: Answer("The body did not arrive in time."),
            413: Answer("The body is too large."),
            422: Answer("Neither a place nor an instant, or both."),
        },
        request=Replay,
        security="key",
    ),
)
