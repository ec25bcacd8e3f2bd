"""Two ways to store messages once for ever: an atomic batch (ADR-50 of NATS), and one guarded publish.

The guard is `Nats-Expected-Last-Subject-Sequence: 0`: the subject must be empty. A repetition is refused by the broker
however late it comes, long after any duplicate window.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from nats.errors import ConnectionReconnectingError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from contracts.events import Event
from services.runtime.connecting import ConnectionLost

GUARD = {"Nats-Expected-Last-Subject-Sequence": "0"}
ALREADY_THERE = 10071
_CONFLICTS = {10071, 10201, 10164}
_BUSY = {10176, 10210}
_ATTEMPTS = 6
COMES_BACK = 5.0
"""Seconds that those who were being answered wait for a lost connection; a broker that is started anew takes one or two."""


@dataclass
class Message:
    """To be stored where nothing is stored, unless its headers expect another last sequence of its subject."""

    subject: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def message_of(event: Event) -> Message:
    """An event as it is stored."""
    return written(event.nats_subject, event.model_dump_json(by_alias=True))  # type: ignore[attr-defined]


def written(subject: str, body: str) -> Message:
    """An event whose JSON is at hand."""
    return Message(subject, body.encode(), {"Content-Type": "application/cloudevents+json"})


@dataclass(frozen=True)
class Batch:
    messages: list[Message]


Rest = Callable[[bytes], Sequence[Event]]


@dataclass(eq=False)
class Wanted:
    """What one caller wants stored: its messages, and for a case how the rest follows from the first answer."""

    messages: list[Message]
    rest: Rest | None
    done: asyncio.Future[None]
    fresh: bool = False
    """Whether the first or the last of them was stored by this very call."""
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(len(message.body) for message in self.messages)

    def succeed(self) -> None:
        """All of it is stored."""
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, problem: Exception) -> None:
        """Say why not, unless an answer was given already."""
        if not self.done.done():
            self.done.set_exception(problem)


class Refused(Exception):
    """The broker refused to store, and repeating will not help (stream full, missing or misdeclared)."""


async def publish_batch(nc: Client, batch: Batch) -> bool:
    """Store all messages or none; False if a subject was not as expected. Raises Refused, TimeoutError, NATS errors."""
    for attempt in range(_ATTEMPTS):
        error = await _try_batch(nc, batch.messages)
        if error is None:
            return True
        code = int(error.get("err_code", error.get("code", 0)))
        if code in _CONFLICTS:
            return False
        if code not in _BUSY:
            raise Refused(f"{error.get('description')} ({code})")
        await asyncio.sleep(0.02 * 2**attempt)
    raise TimeoutError


async def publish_batch_again(nc: Client, batch: Batch) -> bool:
    """`publish_batch`, once more where the connection was lost before the answer came (ADR 0108).

    False then also where the first attempt stored them. Raises TimeoutError, NATS errors, and Refused only where nothing
    is stored.
    """
    try:
        return await publish_batch(nc, batch)
    except ConnectionLost as lost:
        async with asyncio.timeout(COMES_BACK):
            await lost.again.wait()
    try:
        return await publish_batch(nc, batch)
    except Refused:
        raise TimeoutError from None


async def publish_guarded(js: JetStreamContext, message: Message) -> bool:
    """Store one message if its subject is as expected; False if it was not. Raises TimeoutError and NATS errors."""
    try:
        await js.publish(message.subject, message.body, headers={**GUARD, **message.headers})
    except APIError as error:
        if error.err_code != ALREADY_THERE:
            raise
        return False
    return True


async def _try_batch(nc: Client, messages: list[Message]) -> dict[str, Any] | None:
    """How the broker refused, in its words; None if it did not."""
    name = nc.new_inbox().rsplit(".", 1)[-1]
    last = len(messages)
    for number, message in enumerate(messages, 1):
        if not nc.is_connected:
            raise ConnectionReconnectingError  # what is too much to be held would be waited for, message by message
        headers = {**GUARD, **message.headers, "Nats-Batch-Id": name, "Nats-Batch-Sequence": str(number)}
        if number < last:
            await nc.publish(message.subject, message.body, headers=headers)
        else:
            headers["Nats-Batch-Commit"] = "1"
            answer = await nc.request(message.subject, message.body, timeout=10, headers=headers)
            refused: dict[str, Any] | None = json.loads(answer.data).get("error")
            return refused
    return None
