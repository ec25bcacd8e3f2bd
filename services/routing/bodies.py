"""Reads the body of a request as a model, and says why a request is refused; the same words at every door."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from contracts.door import read_json
from contracts.faults import InvalidDocument, faults_of
from services.runtime.bus import BrokerAway
from services.runtime.http import TooLarge, TooSlow, body_within, problem

M = TypeVar("M", bound=BaseModel)
REFUSALS = (InvalidDocument, TooLarge, TooSlow, BrokerAway)
"""What `refused` has an answer to."""


async def read_as(request: Request, kind: type[M], most: int) -> M:
    """The body, of at most `most` bytes, as `kind`. Raises InvalidDocument, TooLarge and TooSlow."""
    raw = read_json(await body_within(request, most))
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise InvalidDocument(faults_of(error, kind, raw)) from None


def refused(trouble: Exception) -> Response:
    """The answer to one of REFUSALS."""
    match trouble:
        case InvalidDocument():
            faults = [fault.plain for fault in trouble.faults]
            return problem(422, "Not what this door takes", "Mend every fault.", faults=faults)
        case TooLarge():
            return problem(413, "Too large", f"A body is at most {trouble.limit} bytes here.")
        case TooSlow():
            return problem(408, "Too slow", "The body did not arrive in time; send it again.")
    return later("The broker does not answer; send the same again later.")


def later(detail: str) -> Response:
    """Not now, but soon."""
    refusal = problem(503, "Not available", detail)
    refusal.headers["Retry-After"] = "5"
    return refusal
