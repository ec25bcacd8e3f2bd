"""Applies the topology table to a broker, and says where a broker differs from it. Never deletes anything."""

from collections.abc import AsyncIterator
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


@dataclass(frozen=True)
class Drift:
    """One difference between the table and the broker; `applied` tells whether it was mended."""

    what: str
    field: str
    wanted: str
    found: str
    applied: bool = False
    refused: str | None = None

    @property
    def new(self) -> bool:
        """Whether the whole thing is missing: a cluster that is not complete yet refuses to make it."""
        return self.field == "existence"

    @property
    def by_hand(self) -> str:
        """What a person must do where the broker does not change it."""
        if self.new:
            return "run it again when all servers are up"
        kind, _, name = self.what.partition(" ")
        if kind == "consumer":
            return f"delete it (`nats consumer rm {name.replace('/', ' ')}`), run it again: nothing is done twice"
        return "change it by hand, or make the stream anew with its data copied"

    def __str__(self) -> str:
        cure = "mended" if self.applied else "run `netral provision`"
        if self.refused:
            cure = f"the broker refuses ({self.refused}); {self.by_hand}"
        return f"{self.what}: {self.field} is {self.found}, wanted {self.wanted}; {cure}"


async def provision(js: JetStreamContext, *, replicas: int = 1) -> list[Drift]:
    """Make the broker as the table says; repeating changes nothing. What cannot be changed is reported unmended."""
    found = [difference async for difference in _differences(js, replicas)]
    return [await _mended(js, difference, replicas) for difference in found]


async def add_consumer(js: JetStreamContext, consumer: Consumer, *, replicas: int = 1) -> None:
    """Make a durable that is in no table, or leave the one that is there; it starts at the first message."""
    await js.add_consumer(consumer.stream, _consumer_config(consumer, replicas))


async def drift(js: JetStreamContext, *, replicas: int = 1) -> list[Drift]:
    """Every difference, without changing anything; streams that are in no table are named too."""
    known = {stream.name for stream in STREAMS}
    extra = [info.config.name for info in await js.streams_info() if info.config.name not in known]
    found = [difference async for difference in _differences(js, replicas)]
    return [*found, *(Drift(f"stream {name}", "existence", "not in the table", "there") for name in extra)]


async def _differences(js: JetStreamContext, replicas: int) -> AsyncIterator[Drift]:
    for stream in STREAMS:
        wanted = _stream_config(stream, replicas)
        found: Any = await _or_none(js.stream_info(stream.name))
        for field, want, got in _compared(wanted, found and found.config, _STREAM_FIELDS):
            yield Drift(f"stream {stream.name}", field, want, got)
    for consumer in CONSUMERS:
        config = _consumer_config(consumer, replicas)
        found = await _or_none(js.consumer_info(consumer.stream, consumer.name))
        for field, want, got in _compared(config, found and found.config, _CONSUMER_FIELDS):
            yield Drift(f"consumer {consumer.stream}/{consumer.name}", field, want, got)
        if found and found.paused:
            yield Drift(f"consumer {consumer.stream}/{consumer.name}", _PAUSED, "nothing", _until(found))


_PAUSED = "paused"
"""Not a part of the configuration that an update changes."""
_STREAM_FIELDS = (
    "subjects",
    "subject_transform",
    "sources",
    "republish",
    "retention",
    "storage",
    "no_ack",
    "discard",
    "max_age",
    "max_bytes",
    "max_msgs",
    "max_msgs_per_subject",
    "max_msg_size",
    "max_consumers",
    "duplicate_window",
    "num_replicas",
    "deny_delete",
    "deny_purge",
    "sealed",
    "allow_direct",
    "allow_atomic",
    "allow_msg_ttl",
    "allow_msg_schedules",
    "compression",
)
_CONSUMER_FIELDS = (
    "filter_subjects",
    "ack_policy",
    "ack_wait",
    "max_ack_pending",
    "max_deliver",
    "deliver_policy",
    "deliver_subject",
    "replay_policy",
    "rate_limit_bps",
    "headers_only",
    "mem_storage",
    "inactive_threshold",
)
_SWITCHES = ("sealed", "no_ack", "headers_only", "mem_storage")


def _compared(wanted: Any, found: Any, fields: tuple[str, ...]) -> list[tuple[str, str, str]]:
    if found is None:
        return [("existence", "there", "missing")]
    pairs = [(field, _value(wanted, field), _value(found, field)) for field in fields]
    return [(field, want, got) for field, want, got in pairs if want != got]


def _value(config: Any, field: str) -> str:
    value = getattr(config, field)
    value = getattr(value, "value", value)
    if field == "filter_subjects" and not value:
        value = [config.filter_subject] if config.filter_subject else []
    if field.startswith(("allow_", "deny_")) or field in _SWITCHES:
        value = bool(value)
    if not value and value is not False:
        return "nothing"
    return str(float(value)) if isinstance(value, int) and not isinstance(value, bool) else str(value)


async def _mended(js: JetStreamContext, difference: Drift, replicas: int) -> Drift:
    name = difference.what.split(" ", 1)[1]
    try:
        if difference.what.startswith("stream "):
            stream = next(stream for stream in STREAMS if stream.name == name)
            change = js.add_stream if difference.field == "existence" else js.update_stream
            await change(_stream_config(stream, replicas))
        elif difference.field == _PAUSED:
            await js.resume_consumer(*name.split("/"))
        else:
            consumer = next(one for one in CONSUMERS if f"{one.stream}/{one.name}" == name)
            await js.add_consumer(consumer.stream, _consumer_config(consumer, replicas))
    except APIError as problem:
        return replace(difference, refused=problem.description or f"error {problem.err_code}")
    return replace(difference, applied=True)


def _stream_config(stream: Stream, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD if stream.schedules else DiscardPolicy.NEW,
        max_age=float(stream.max_age),
        max_bytes=stream.max_bytes,
        max_msgs=-1,
        max_consumers=-1,
        duplicate_window=float(stream.duplicate_window),
        num_replicas=replicas,
        deny_delete=not stream.deletable,
        deny_purge=not (stream.deletable or stream.schedules),
        allow_direct=True,
        allow_atomic=stream.atomic,
        allow_msg_ttl=stream.schedules,
        allow_msg_schedules=stream.schedules,
        compression=StoreCompression.S2,
    )


def _consumer_config(consumer: Consumer, replicas: int) -> ConsumerConfig:
    return ConsumerConfig(
        name=consumer.name,
        durable_name=consumer.name,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=float(consumer.ack_wait),
        max_deliver=consumer.max_deliver,
        max_ack_pending=consumer.max_ack_pending,
        filter_subjects=list(consumer.filters),
        num_replicas=replicas,
    )


def _until(found: Any) -> str:
    return f"until {found.config.pause_until}"


async def _or_none(answer: Any) -> Any:
    try:
        return await answer
    except NotFoundError:
        return None
