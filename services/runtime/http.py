"""What every HTTP door shares: problems, bounded bodies, bearer tokens, tracing and serving."""

import asyncio
import hmac

from starlette.requests import Request

from services.runtime.problems import exception_handlers, problem
from services.runtime.serving import CannotListen, serve, stopping
from services.runtime.traced_http import TracedHttp


class TooLarge(Exception):
    """The body is larger than allowed; `limit` is in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body is larger than {limit} bytes")


class TooSlow(Exception):
    """The body did not arrive within BODY_SECONDS."""


BODY_SECONDS = 30.0
"""What a client gets to send a whole body in; a slow one must not hold a connection for ever."""


async def body_within(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The body, of at most `limit` bytes; never more than that is kept. Raises TooLarge and TooSlow."""
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, limit)
    except TimeoutError:
        raise TooSlow from None


async def _read(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise TooLarge(limit)
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > limit:
            raise TooLarge(limit)
        body += chunk
    return bytes(body)


def bearer(request: Request) -> str | None:
    """The token of `Authorization: Bearer …`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return (token.strip() or None) if scheme.lower() == "bearer" else None


def same(a: str, b: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing about where they differ."""
    return hmac.compare_digest(a.encode(), b.encode())


__all__ = [
    "CannotListen",
    "TooLarge",
    "TooSlow",
    "TracedHttp",
    "bearer",
    "body_within",
    "exception_handlers",
    "problem",
    "same",
    "serve",
    "stopping",
]
