"""Stores events on JetStream, each exactly once for ever, many callers sharing one durable write."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, Self, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from contracts.events import Event
from contracts.topology import stream_of, template_of
from services.runtime.batches import (
    Batch,
    Message,
    Refused,
    Rest,
    Wanted,
    message_of,
    publish_batch,
    publish_batch_again,
    publish_guarded,
    written,
)
from services.runtime.connecting import connected
from services.runtime.ending import ended
from services.runtime.logs import log
from services.runtime.metrics import Timed
from services.runtime.settings import Settings
from services.runtime.spans import publish_headers
from services.runtime.telemetry import instruments_of

MAX_GROUP = 900
"""Messages in one atomic batch; the server takes 1,000 (measured, docs/decisions/0002)."""
MAX_GROUP_BYTES = 4_000_000


class BrokerAway(Exception):
    """No answer came. `ambiguous` tells whether the events may be stored all the same; `stream` could not be read."""

    def __init__(self, *, ambiguous: bool, stream: str | None = None) -> None:
        self.ambiguous = ambiguous
        if stream:
            says = f"the broker gives nothing of the stream {stream}; if it has its own data, run `netral provision`"
        else:
            says = "the broker did not acknowledge in time" if ambiguous else "the broker is not reachable"
        super().__init__(says)


E = TypeVar("E", bound=Event)


class Bus:
    """One connection for publishing. Concurrent calls share atomic batches (group commit)."""

    def __init__(self, nc: Client, telemetry: Any = None) -> None:
        self.nc = nc
        self.js: JetStreamContext = nc.jetstream(timeout=10)
        self._waiting: dict[str, asyncio.Queue[Wanted]] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._open_batches = asyncio.Semaphore(16)  # the server takes 50 of all workers together
        self._telemetry = telemetry
        self._took = partial(instruments_of(telemetry).time, Timed.PUBLISHED)

    @classmethod
    async def connect(
        cls, settings: Settings, user: str, *, wait: bool = True, telemetry: Any = None
    ) -> Self:
        """Connect as `user`; with `wait`, keep trying until the broker is there. Raises BrokerAway without."""
        while True:
            try:
                # nats-py itself would try for ever, also at the first attempt.
                async with asyncio.timeout(5):
                    return cls(await connected(settings, user), telemetry)
            except (NatsError, OSError, TimeoutError):
                if not wait:
                    raise BrokerAway(ambiguous=False) from None
                log("broker.awaited")
                await asyncio.sleep(1)

    async def tell(self, events: Sequence[Event]) -> None:
        """Store all events (of one stream) durably, each exactly once; repeating is harmless. Raises BrokerAway."""
        if events:
            await self._submit([message_of(event) for event in events], None)

    async def tell_written(self, nats_subject: str, body: str) -> None:
        """As `tell`, an event whose JSON is at hand. Raises BrokerAway."""
        await self._submit([written(nats_subject, body)], None)

    async def tell_together(self, events: Sequence[Event]) -> bool:
        """Store all events or none, in their order; False where one of the subjects holds one. Raises BrokerAway.

        More than MAX_GROUP go in several parts, each whole.
        """
        for start in range(0, len(events), MAX_GROUP):
            part = [message_of(event) for event in events[start : start + MAX_GROUP]]
            try:
                if not await publish_batch(self.nc, Batch(part)):
                    return False
            except Refused:
                raise BrokerAway(ambiguous=False) from None
            except (NatsError, TimeoutError, OSError):
                raise BrokerAway(ambiguous=True) from None
        return True

    async def tell_case(self, first: E, rest: Callable[[E], Sequence[Event]]) -> bool:
        """Store `first` unless one is stored already, then what follows from the one that stands.

        Whether the first or the last of all this is new.

        `rest` gets the event that stands: `first`, or the earlier answer. Raises BrokerAway.
        """

        def from_stored(body: bytes) -> Sequence[Event]:
            return rest(type(first).model_validate_json(body))

        return await self._submit([message_of(first), *map(message_of, rest(first))], from_stored)

    async def read(self, nats_subject: str) -> bytes | None:
        """The last message on a subject, or None. Raises BrokerAway."""
        return await self.last(stream_of(nats_subject), nats_subject)

    async def last(self, stream: str, filter_: str) -> bytes | None:
        """The last message of a stream on the subjects of a filter, or None. Raises BrokerAway."""
        try:
            found = await self.js.get_last_msg(stream, filter_, direct=True)
        except NotFoundError:
            return None
        except (NatsError, TimeoutError):
            raise BrokerAway(ambiguous=False, stream=stream) from None
        return bytes(found.data or b"")

    async def stored(self, nats_subject: str) -> bool:
        """Whether a subject holds a message. Raises BrokerAway."""
        return await self.read(nats_subject) is not None

    async def close(self) -> None:
        """Leave. Whoever still waits for an answer hears BrokerAway, as it may have been stored."""
        await ended(self._workers)
        await self.nc.close()
        for queue in self._waiting.values():
            while not queue.empty():
                queue.get_nowait().fail(BrokerAway(ambiguous=True))

    async def _submit(self, messages: list[Message], rest: Rest | None) -> bool:
        if not self.nc.is_connected:
            raise BrokerAway(ambiguous=False)
        with publish_headers(self._telemetry, messages[0].subject) as headers:
            for message in messages:
                message.headers.update(headers)
            item = Wanted(messages, rest, asyncio.get_running_loop().create_future())
            self._queue(stream_of(messages[0].subject)).put_nowait(item)
            await item.done
            return item.fresh

    def _queue(self, stream: str) -> asyncio.Queue[Wanted]:
        if stream not in self._waiting:
            self._waiting[stream] = asyncio.Queue()
            self._workers.append(asyncio.create_task(self._work(self._waiting[stream])))
        return self._waiting[stream]

    async def _work(self, queue: asyncio.Queue[Wanted]) -> None:
        while True:
            group = [await queue.get()]
            count, size = len(group[0].messages), group[0].size
            while not queue.empty() and count < MAX_GROUP and size < MAX_GROUP_BYTES:
                item = queue.get_nowait()
                group.append(item)
                count, size = count + len(item.messages), size + item.size
            first, started = group[0].messages[0].subject, monotonic()
            try:
                await self._commit(group)
                self._took(monotonic() - started, destination=template_of(first))
            finally:
                _fail(group, BrokerAway(ambiguous=True))  # only whom nobody answered: we were told to leave

    async def _commit(self, group: list[Wanted]) -> None:
        messages = [message for item in group for message in item.messages]
        if not self.nc.is_connected:  # it was lost while they waited for their turn: nothing was sent
            _fail(group, BrokerAway(ambiguous=False))
            return
        try:
            stored = len(messages) <= MAX_GROUP + 100 and await publish_batch_again(self.nc, Batch(messages))
        except Refused as refused:
            log("broker.refused", level="ERROR", stream=stream_of(messages[0].subject), why=str(refused))
            _fail(group, BrokerAway(ambiguous=False))
            return
        except (NatsError, TimeoutError, OSError):
            _fail(group, BrokerAway(ambiguous=True))
            return
        if stored:
            for item in group:
                item.fresh = True
                item.succeed()
        else:
            await asyncio.gather(*(self._one_by_one(item, alone=len(group) == 1) for item in group))

    async def _one_by_one(self, item: Wanted, *, alone: bool) -> None:
        try:
            if item.rest is None:
                await asyncio.gather(*(publish_guarded(self.js, message) for message in item.messages))
            elif not alone and await self._whole(item):
                item.fresh = True
            else:
                item.fresh = await self._as_the_first_answer_says(item.messages[0], item.rest)
        except (NatsError, TimeoutError, OSError, Refused):
            item.fail(BrokerAway(ambiguous=True))
        except Exception as problem:
            item.fail(problem)
        else:
            item.succeed()

    async def _whole(self, item: Wanted) -> bool:
        """Store a caller's messages together: what refused the group was another's, and a crash must not part ours."""
        async with self._open_batches:
            fits = len(item.messages) <= MAX_GROUP + 100
            return fits and await publish_batch(self.nc, Batch(item.messages))

    async def _as_the_first_answer_says(self, first: Message, rest: Rest) -> bool:
        body = first.body
        if not (fresh := await publish_guarded(self.js, first)):
            stands = await self.js.get_last_msg(stream_of(first.subject), first.subject, direct=True)
            body = stands.data or b""
        following = [message_of(event) for event in rest(body)]
        for message in following:
            message.headers.update({k: v for k, v in first.headers.items() if k == "traceparent"})
        news = await asyncio.gather(*(publish_guarded(self.js, message) for message in following))
        return fresh or bool(news and news[-1])


def _fail(items: list[Wanted], problem: Exception) -> None:
    for item in items:
        item.fail(problem)
