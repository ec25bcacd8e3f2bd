"""Entity tags (RFC 9110): an answer that did not change is not sent again, and a step names what its speaker saw."""

import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.routing.guarding import NO_STORE


def tagged(request: Request, document: dict[str, Any], step: int | None = None) -> Response:
    """The document as JSON with its tag, or 304 where the client has it. With `step` the tag begins with its number."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest()[:24]
    tag = f'"{digest}"' if step is None else f'"{step}-{digest}"'
    headers = {**NO_STORE, "ETag": tag}
    if _has(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def step_in(tag: str | None) -> int | None:
    """The number of the step in an If-Match; None for no header and for `*`. Raises ValueError."""
    if tag is None or tag.strip() == "*":
        return None
    number = tag.strip().removeprefix("W/").strip('"').split("-", 1)[0]
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise ValueError(tag)
    return int(number)


def _has(header: str | None, tag: str) -> bool:
    """Weak comparison, as If-None-Match wants it."""
    if header is None:
        return False
    given = [one.strip().removeprefix("W/") for one in header.split(",")]
    return tag in given or given == ["*"]
