"""Whether routing can work now, and if not, why: each reason is one phrase."""

from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.routing.parts import Parts
from services.routing.sealed_words import ANOTHER_KEY
from services.runtime.durables import unreadable
from services.runtime.http import problem


def readyz(parts: Parts) -> Callable[[Request], object]:
    async def answer(_request: Request) -> Response:
        reasons = await _missing(parts)
        if not reasons:
            return JSONResponse({"status": "ok"})
        return problem(503, "Not ready", "; ".join(reasons) + ".", reasons=reasons)

    return answer


async def _missing(parts: Parts) -> list[str]:
    """What keeps routing from working, each as one phrase."""
    reasons = [ANOTHER_KEY] if parts.another_key else []
    try:
        await parts.views.position("CASES")
    except SQLAlchemyError:
        reasons.append("the database does not answer")
    if parts.bus is None:
        return reasons or ["the broker is not connected yet"]
    if parts.broker is None:
        return reasons + await unreadable(parts.bus, "routing") or ["streams or durables do not answer yet"]
    if not parts.push.ready:
        reasons.append("the database of webhooks does not answer")
    followed = (parts.law, parts.dates, parts.agencies.book)
    reasons += [one.unreadable for one in followed if one.unreadable]
    return reasons + await unreadable(parts.bus, "routing")
