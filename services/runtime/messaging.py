"""Consuming: FastStream brokers and durable subscribers with our acknowledgements, telemetry and limits."""

import asyncio
import builtins
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import faststream.nats.subscriber.usecases.stream_pull_subscriber as pulling
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.message import NatsMessage
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig

from contracts.topology import CONSUMERS
from services.runtime.bus import BrokerAway, Bus
from services.runtime.connecting import connected
from services.runtime.failures import FailureTable, NeedsAPerson, TryLater
from services.runtime.logs import log
from services.runtime.pulling import PAUSE
from services.runtime.settings import Settings
from services.runtime.spans import HandlerTelemetry

# FastStream 0.7.8 expects nats.errors.TimeoutError where nats-py 2.16 raises the builtin one: the pull task dies and a
# partly filled batch waits for its ack_wait. tests/runtime/test_messaging.py goes red when this is no longer needed.
pulling.TimeoutError = builtins.TimeoutError  # type: ignore[attr-defined]


class _Broker(NatsBroker):
    """FastStream's over a connection of ours. Its own ends for ever where a server refuses it for a moment.

    Where a durable or the broker is gone FastStream 0.7.8 asks again at once, which takes a core; ours once a second.
    """

    whose: tuple[Settings, str]

    async def stop(self, *ended_by: Any) -> None:
        """As soon as no handler is at work any more; what they acknowledged is written before the connection ends.

        FastStream's own drains it, which cannot be where the broker is away, and takes 20 s where it stands still.
        """
        try:
            await super(NatsBroker, self).stop(*ended_by)
        finally:
            if self._connection:
                await self._connection.close()
            self._connection = None
            self.config.disconnect()

    async def _connect(self) -> Client:
        client = await connected(*self.whose)
        self.config.connect(client)
        return client

    async def start(self) -> None:
        await super().start()
        for subscriber in self.subscribers:
            if isinstance(subscriber, pulling.PullStreamSubscriber) and (pull := subscriber.subscription):
                pull.fetch = _patient(pull.fetch, self._connection)


def _patient(fetch: Callable[..., Awaitable[list[Msg]]], nc: Client) -> Callable[..., Awaitable[list[Msg]]]:
    """Asks only a broker that is there, and rests where it refuses.

    What is asked of one that is away is kept by nats-py, for half an hour; then there is no room, which ends FastStream's
    reader, and that is begun anew without a pause, each time with more to remember.
    """

    async def fetching(**asked: Any) -> list[Msg]:
        with suppress(NatsError):
            if nc.is_connected:
                return await fetch(**asked)
        await asyncio.sleep(PAUSE)
        return []

    return fetching


def open_broker(settings: Settings, user: str, telemetry: Any = None) -> NatsBroker:
    """A FastStream broker of ours, not connected yet. Outermost telemetry, then the failure table."""
    broker = _Broker(
        middlewares=(HandlerTelemetry(telemetry), FailureTable),
        logger=None,
        graceful_timeout=10,
        apply_types=False,  # injecting the message costs a hop to another thread for each
        decoder=_itself,
    )
    broker.whose = settings, user
    return broker


async def consuming(
    settings: Settings, user: str, telemetry: Any, subscribe: Callable[[NatsBroker], None]
) -> NatsBroker:
    """A started broker whose durables were found; they are made by `netral provision`, never here, and waited for."""
    while True:
        broker = open_broker(settings, user, telemetry)
        subscribe(broker)
        try:
            await broker.start()
        except (NatsError, OSError, TimeoutError) as trouble:
            log("durables.awaited", level="WARNING", error=type(trouble).__name__)
            await broker.stop()
            await asyncio.sleep(1)
        else:
            return broker


def durable(name: str, at_once: int = 64) -> dict[str, Any]:
    """The subscriber arguments that bind to a durable of the topology table; nothing is ever created here.

    Up to `at_once` handlers run at once (the batch of one pull). Raises StopIteration for an unknown name.
    """
    consumer = next(consumer for consumer in CONSUMERS if consumer.name == name)
    return {
        "subject": consumer.filters[0],
        "stream": JStream(consumer.stream, declare=False),
        "durable": consumer.name,
        "inbox_prefix": f"_INBOX_{consumer.service}.".encode(),
        "pull_sub": PullSub(batch_size=at_once, timeout=1),
        "config": ConsumerConfig(ack_wait=consumer.ack_wait),
        "ack_policy": AckPolicy.NACK_ON_ERROR,
    }


async def _itself(message: NatsMessage) -> NatsMessage:
    """Handlers read the body themselves: what is no event of ours is then theirs to refuse."""
    return message


__all__ = [
    "BrokerAway",
    "Bus",
    "NeedsAPerson",
    "TryLater",
    "consuming",
    "durable",
    "open_broker",
]
