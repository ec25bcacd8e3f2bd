"""Whether routing can work now, and if not, why: each reason is one phrase."""

import asyncio
from collections.abc import Callable

from nats.errors import Error as NatsError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from contracts.topology import CONSUMERS, Consumer
from services.routing.parts import Parts
from services.routing.sealed_words import ANOTHER_KEY
from services.runtime.bus import Bus
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
    if parts.bus is None or parts.broker is None:
        return reasons or ["the broker is not connected yet"]
    if not parts.push.ready:
        reasons.append("the database of webhooks does not answer")
    followed = (parts.law, parts.dates, parts.agencies.book)
    reasons += [one.unreadable for one in followed if one.unreadable]
    asked = await asyncio.gather(*(_durable(parts.bus, c) for c in CONSUMERS if c.service == "routing"))
    return reasons + [reason for reason in asked if reason]


async def _durable(bus: Bus, consumer: Consumer) -> str:
    """Why a durable cannot be read; empty when it can. All are asked at once: whoever watches waits three seconds."""
    try:
        async with asyncio.timeout(2):
            await bus.js.consumer_info(consumer.stream, consumer.name)
    except (NatsError, TimeoutError):
        return f"the durable {consumer.name} cannot be read"
    return ""
