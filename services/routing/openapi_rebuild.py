"""What the API document says of the rebuild of the read model."""

from pydantic import BaseModel

from contracts.openapi import Answer, Operation
from services.routing.rebuild_api import LINES, PATH, Wish


class RebuildLine(BaseModel):
    """A line of the answer. `event` is `reading` (stream, read, percent, rate a second), `looked`, `compared` (table, rows,
    differing, keys), `done` (equal, replaced) or `failed` (why); the last one is `done` or `failed`.
    """

    event: str
    stream: str | None = None
    read: int | None = None
    percent: float | None = None
    rate: int | None = None
    table: str | None = None
    rows: int | None = None
    differing: int | None = None
    keys: list[str] | None = None
    equal: bool | None = None
    replaced: bool | None = None
    why: str | None = None


REBUILD = (
    Operation(
        "POST",
        PATH,
        "Build the read model anew and compare",
        "Everything goes on meanwhile. With `replace` what differs is taken over, in one transaction.",
        {
            200: Answer("Progress and result, a JSON document on each line.", RebuildLine, media_type=LINES),
            401: Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"}),
            404: Answer("Not the operator's key."),
            408: Answer("The body did not arrive in time."),
            413: Answer("The body is too large."),
            422: Answer("The body is not a wish; `faults` names every field."),
            503: Answer("The broker does not answer.", headers={"Retry-After": "Seconds to wait."}),
        },
        request=Wish,
        security="key",
    ),
)
