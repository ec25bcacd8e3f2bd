"""Whether the durables of a service can be read: none is ever made by a service, so one that is gone stays gone."""

import asyncio

from nats.errors import Error as NatsError

from contracts.topology import CONSUMERS, Consumer
from services.runtime.bus import Bus


async def unreadable(bus: Bus, service: str) -> list[str]:
    """Which durables cannot be read, each as one phrase. All are asked at once: whoever watches waits three seconds."""
    asked = await asyncio.gather(*(_reason(bus, c) for c in CONSUMERS if c.service == service))
    return [reason for reason in asked if reason]


async def _reason(bus: Bus, consumer: Consumer) -> str:
    try:
        async with asyncio.timeout(2):
            await bus.js.consumer_info(consumer.stream, consumer.name)
    except (NatsError, TimeoutError):
        return f"the durable {consumer.name} cannot be read"
    return ""
