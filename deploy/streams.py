"""Applies the topology table to a broker, and tells where the broker differs from it. It never deletes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from contracts.topology import CONSUMERS, STREAMS, Consumer, Stream

PROVISION = "run `netral provision`"
Refusals = dict[str, str]


@dataclass(frozen=True)
class Drift:
    """One difference: `field` of `thing` (`stream CASES`) should be `wanted` and is `found`; `str()` is a sentence."""

    thing: str
    field: str
    wanted: str
    found: str
    cure: str

    def __str__(self) -> str:
        if self.field == "existence":
            return f"{self.thing} is {self.found}, should be {self.wanted}; {self.cure}"
        return f"{self.thing}: {self.field} is {self.found}, should be {self.wanted}; {self.cure}"


async def provision(js: JetStreamContext, *, replicas: int) -> list[Drift]:
    """Create and update until the broker is as the table says; what still differs. Raises NATS errors, TimeoutError."""
    refusals: Refusals = {}
    for stream in STREAMS:
        await _apply_stream(js, stream, replicas, refusals)
    for consumer in CONSUMERS:
        await _apply_consumer(js, consumer, refusals)
    return [_explained(item, refusals) for item in await drift(js, replicas=replicas)]


async def drift(js: JetStreamContext, *, replicas: int | None = None) -> list[Drift]:
    """Every difference, changing nothing. Replicas are compared if given. Raises NATS errors, TimeoutError."""
    found: list[Drift] = []
    for stream in STREAMS:
        wanted = _stream_fields(stream, replicas)
        found += _differences(f"stream {stream.name}", wanted, await _stream(js, stream.name))
    for consumer in CONSUMERS:
        there = await _consumer(js, consumer)
        found += _differences(_thing(consumer), _consumer_fields(consumer), there)
    return found + await _unknown(js)


async def _apply_stream(js: JetStreamContext, stream: Stream, replicas: int, refusals: Refusals) -> None:
    wanted = _stream_fields(stream, replicas)
    found = await _stream(js, stream.name)
    try:
        if found is None:
            await js.add_stream(StreamConfig(name=stream.name, **wanted))
        elif _differences("", wanted, found):
            await js.update_stream(replace(found, **wanted))
    except APIError as problem:
        refusals[f"stream {stream.name}"] = problem.description or f"error {problem.err_code}"


async def _apply_consumer(js: JetStreamContext, consumer: Consumer, refusals: Refusals) -> None:
    wanted = _consumer_fields(consumer)
    try:
        found = await _consumer(js, consumer)
        if found is None:
            found = ConsumerConfig(name=consumer.name, durable_name=consumer.name)
        elif not _differences("", wanted, found):
            return
        await js.add_consumer(consumer.stream, replace(found, filter_subject=None, **wanted))
    except APIError as problem:
        refusals[_thing(consumer)] = problem.description or f"error {problem.err_code}"


def _stream_fields(stream: Stream, replicas: int | None) -> dict[str, Any]:
    fields = {
        "subjects": list(stream.subjects),
        "storage": StorageType.FILE,
        "retention": RetentionPolicy.LIMITS,
        "discard": DiscardPolicy.NEW,
        "compression": StoreCompression.S2,
        "max_age": stream.max_age,
        "max_bytes": stream.max_bytes,
        "duplicate_window": stream.duplicate_window,
        "allow_direct": True,
        "allow_atomic": stream.atomic,
        "deny_delete": not stream.deletable,
        "deny_purge": not stream.deletable,
    }
    return fields if replicas is None else {**fields, "num_replicas": replicas}


def _consumer_fields(consumer: Consumer) -> dict[str, Any]:
    return {
        "filter_subjects": list(consumer.filters),
        "deliver_policy": DeliverPolicy.ALL,
        "ack_policy": AckPolicy.EXPLICIT,
        "ack_wait": consumer.ack_wait,
        "max_ack_pending": consumer.max_ack_pending,
        "max_deliver": consumer.max_deliver,
        "deliver_subject": None,
    }


def _differences(thing: str, wanted: Mapping[str, Any], found: object | None) -> list[Drift]:
    if found is None:
        return [Drift(thing, "existence", "there", "missing", PROVISION)]
    pairs = {name: (value, _value(found, name)) for name, value in wanted.items()}
    return [
        Drift(thing, name, _shown(value), _shown(there), PROVISION)
        for name, (value, there) in pairs.items()
        if (value or None) != (there or None)
    ]


def _value(found: object, name: str) -> Any:
    value = getattr(found, name)
    if name == "filter_subjects" and not value:
        only = getattr(found, "filter_subject", None)
        return [only] if only else []
    return sorted(value) if isinstance(value, list) and name == "unordered" else value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(getattr(value, "value", value))


def _explained(item: Drift, refusals: Refusals) -> Drift:
    reason = refusals.get(item.thing)
    if reason is None:
        return item
    return replace(
        item, cure=f"the broker refuses the change ({reason}): copy its messages, delete it by hand and provision again"
    )


async def _unknown(js: JetStreamContext) -> list[Drift]:
    known = {stream.name for stream in STREAMS}
    names = [info.config.name or "" for info in await js.streams_info()]
    cure = "delete it by hand if nobody needs it"
    return [Drift(f"stream {name}", "existence", "absent", "there", cure) for name in names if name not in known]


async def _stream(js: JetStreamContext, name: str) -> StreamConfig | None:
    try:
        return (await js.stream_info(name)).config
    except NotFoundError:
        return None


async def _consumer(js: JetStreamContext, consumer: Consumer) -> ConsumerConfig | None:
    try:
        return (await js.consumer_info(consumer.stream, consumer.name)).config
    except NotFoundError:
        return None


def _thing(consumer: Consumer) -> str:
    return f"consumer {consumer.name} on {consumer.stream}"
