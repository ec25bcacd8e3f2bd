"""Reads a stream from a place on, in pages, without a consumer of its own."""

import json
from collections.abc import AsyncIterator
from typing import NamedTuple

from nats.errors import Error as NatsError

from services.runtime.bus import BrokerAway, Bus

PAGE = 500


class Stored(NamedTuple):
    """A message with its place in its stream."""

    seq: int
    subject: str
    body: bytes


async def page_of(
    bus: Bus, stream: str, start: int, *, subjects: str = ">", most: int = PAGE
) -> list[Stored]:
    """At most `most` messages on the subjects of a filter, from the sequence `start` on. Raises BrokerAway."""
    return [stored async for stored in _page(bus, stream, start, subjects, most)]


async def _page(bus: Bus, stream: str, start: int, subjects: str, most: int) -> AsyncIterator[Stored]:
    """One batched direct get (ADR-31 of NATS); its end is an answer without a sequence."""
    inbox = bus.nc.new_inbox()
    answers = await bus.nc.subscribe(inbox)
    try:
        wanted = json.dumps({"seq": start, "batch": most, "next_by_subj": subjects}).encode()
        await bus.nc.publish(f"$JS.API.DIRECT.GET.{stream}", wanted, reply=inbox)
        while "Nats-Sequence" in (headers := (answer := await answers.next_msg(timeout=5)).headers or {}):
            yield Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], answer.data)
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False) from None
    finally:
        await answers.unsubscribe()
