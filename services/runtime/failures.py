"""What becomes of a message when handling it fails.

TryLater          the world is not ready          redelivered, after a pause
NeedsAPerson      it will never succeed           parked, with the reason
ValidationError   it is not a message of ours     parked
anything else     a bug or an unknown trouble     redelivered with back-off, then parked

Parking is a dead letter in the stream PARKED: the original bytes, and the reason in headers. `netral parked` lists and
replays them.
"""

import json
from typing import Any

from faststream import BaseMiddleware
from faststream.exceptions import AckMessage, HandlerException, NackMessage
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from pydantic import ValidationError

from services.runtime.batches import Message, publish_guarded
from services.runtime.bus import BrokerAway
from services.runtime.logs import log
from services.runtime.spans import note

BACK_OFF = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""Seconds before the second, third, … delivery; the last one repeats."""
LAST_DELIVERY = 10
"""The delivery after whose failure by an unknown trouble we park ourselves, long before the broker goes quiet."""


_WHENCE = "Netral-Subject"


class TryLater(Exception):
    """The world is not ready. `delay` is seconds.

    We never park for it, but the broker counts every delivery: after `max_deliver` of them, hours later, it gives the
    message up, and routing parks it from the advisory, where an operator finds and replays it.
    """

    def __init__(self, delay: float = 5.0) -> None:
        self.delay = delay
        super().__init__(f"try again in {delay} s")


class NeedsAPerson(Exception):
    """It will never succeed by itself; `reason` is a code or short sentence without personal data."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class FailureTable(BaseMiddleware):
    """The one place where an exception becomes an acknowledgement, a redelivery or a dead letter."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        try:
            return await call_next(msg)
        except HandlerException:
            raise
        except Exception as problem:
            await self._settle(problem)

    async def after_processed(self, exc_type: Any = None, exc_val: Any = None, exc_tb: Any = None) -> bool:
        """A body that cannot even be decoded never reaches `consume_scope`; it is settled here."""
        if isinstance(exc_val, Exception) and not isinstance(exc_val, HandlerException):
            await self._settle(exc_val)
        return False

    async def _settle(self, problem: Exception) -> None:
        pause = await settled(self.msg, problem)
        if pause is None:
            raise AckMessage from None
        raise NackMessage(delay=pause) from None


async def settled(raw: Msg, problem: Exception) -> float | None:
    """None where a message is done with: it was parked. Else the seconds until it is wanted again."""
    match problem:
        case TryLater():
            return problem.delay
        case BrokerAway():
            return _pause(raw)
        case NeedsAPerson():
            return await _parked(raw, problem.reason)
        case ValidationError() | json.JSONDecodeError() | UnicodeDecodeError():
            return await _parked(raw, f"not a message of ours ({type(problem).__name__})")
        case _:
            return await _again_or_parked(raw, type(problem).__name__)


async def _again_or_parked(raw: Msg, error: str) -> float | None:
    meta = raw.metadata
    note(error=error)
    if meta.num_delivered < LAST_DELIVERY:
        return _pause(raw)
    return await _parked(raw, f"failed {meta.num_delivered} times, at last with {error}")


async def _parked(raw: Msg, reason: str) -> float | None:
    note(outcome="parked", reason=reason)
    meta = raw.metadata
    try:
        await park(
            raw._client.jetstream(),
            raw.data,
            subject=raw.subject,
            stream=meta.stream,
            consumer=meta.consumer,
            seq=meta.sequence.stream,
            deliveries=meta.num_delivered,
            reason=reason,
        )
    except (NatsError, TimeoutError):
        return _pause(raw)
    return None


async def park(
    js: JetStreamContext,
    data: bytes,
    *,
    subject: str,
    stream: str,
    consumer: str,
    seq: int,
    deliveries: int,
    reason: str,
) -> None:
    """Put a dead letter into PARKED, one for each message and consumer while it lies there. Raises NATS errors."""
    headers = {
        "Netral-Reason": reason[:200],
        "Netral-Stream": stream,
        "Netral-Consumer": consumer,
        "Netral-Seq": str(seq),
        _WHENCE: subject,
        "Netral-Deliveries": str(deliveries),
    }
    if await _laid(js, Message(f"parked.{stream}.{consumer}.{seq}", data, headers)):
        log("message.parked", level="ERROR", stream=stream, consumer=consumer, seq=seq, reason=reason)


async def _laid(js: JetStreamContext, letter: Message) -> bool:
    """Whether it was not there yet. In a stream that was made anew another message may have the same number."""
    if await publish_guarded(js, letter):
        return True
    lies = await js.get_last_msg("PARKED", letter.subject, direct=True)
    if lies.data == letter.body and (lies.headers or {}).get(_WHENCE) == letter.headers[_WHENCE]:
        return False
    await js.publish(letter.subject, letter.body, headers=letter.headers)
    return True


def _pause(raw: Msg) -> float:
    return BACK_OFF[min(raw.metadata.num_delivered, len(BACK_OFF)) - 1]
