"""Reads a stream without a consumer of its own: from a place on, in pages, or the last message of each subject."""

import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, NamedTuple

from nats.errors import Error as NatsError
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from contracts.topology import stream_of
from services.runtime.bus import BrokerAway, Bus

PAGE = 500
MOST_FILTERS = 100
"""Of one request; the server answers with at most 1,024 messages."""
_THE_END = ("204", "404")


class Stored(NamedTuple):
    """A message with its place in its stream."""

    seq: int
    subject: str
    body: bytes
    headers: Mapping[str, str]


async def page_of(
    bus: Bus, stream: str, start: int, *, subjects: str = ">", most: int = PAGE
) -> list[Stored]:
    """At most `most` messages on the subjects of a filter, from the sequence `start` on. Raises BrokerAway."""
    wanted = {"seq": start, "batch": most, "next_by_subj": subjects}
    return [stored async for stored in _got(bus, stream, wanted)]


async def last_of_each(bus: Bus, stream: str, filters: Sequence[str]) -> AsyncIterator[Stored]:
    """The last message of each subject that one of the filters fits. Raises BrokerAway."""
    for start in range(0, len(filters), MOST_FILTERS):
        wanted = {"multi_last": list(filters[start : start + MOST_FILTERS]), "batch": 1024}
        async for stored in _got(bus, stream, wanted):
            yield stored


async def of_leader(bus: Bus, nats_subject: str) -> bytes | None:
    """The last message on a subject as the leader of its stream holds it, or None. Raises BrokerAway.

    Any copy of a stream answers a direct get, also one that is behind and does not hold yet what was acknowledged.
    """
    stream = stream_of(nats_subject)
    found = await _held(stream, bus.js.get_last_msg(stream, nats_subject))
    return bytes(found.data or b"") if found else None


async def at_leader(bus: Bus, stream: str, seq: int) -> Stored | None:
    """The message at a place as the leader of the stream holds it, or None. Raises BrokerAway."""
    found = await _held(stream, bus.js.get_msg(stream, seq))
    return Stored(found.seq, found.subject, found.data or b"", found.headers or {}) if found else None


async def _held(stream: str, asking: Awaitable[RawStreamMsg]) -> RawStreamMsg | None:
    try:
        return await asking
    except NotFoundError:
        return None
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False, stream=stream) from None


async def surely(bus: Bus, nats_subject: str) -> bytes | None:
    """The last message on a subject; that there is none is believed of the leader of its stream only. Raises BrokerAway."""
    return await bus.read(nats_subject) or await of_leader(bus, nats_subject)


async def _got(bus: Bus, stream: str, wanted: dict[str, Any]) -> AsyncIterator[Stored]:
    """One batched direct get (ADR-31 of NATS). A stream that nobody serves answers 503, which is not its end."""
    inbox = bus.nc.new_inbox()
    answers = await bus.nc.subscribe(inbox)
    try:
        await bus.nc.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(wanted).encode(), reply=inbox)
        while "Nats-Sequence" in (headers := (answer := await answers.next_msg(timeout=5)).headers or {}):
            yield Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], answer.data, headers)
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False, stream=stream) from None
    finally:
        await answers.unsubscribe()
    if headers.get("Status") not in _THE_END:
        raise BrokerAway(ambiguous=False, stream=stream)
