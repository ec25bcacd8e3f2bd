"""Dead letters: what was given up by the broker is parked too, and what is parked can be listed and replayed."""

import hashlib
import json
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from contracts.topology import CONSUMERS
from services.runtime.failures import park
from services.runtime.spans import note

STREAM = "PARKED"
_NOT_THERE = frozenset({10043, 10057})
"""How the broker says that it cannot delete a message which is not there; the former while another is deleting it."""
_OURS = {(consumer.stream, consumer.name) for consumer in CONSUMERS}


@dataclass(frozen=True)
class Parked:
    """One dead letter; `seq` is its number in PARKED, `subject` where it came from."""

    seq: int
    stream: str
    consumer: str
    subject: str
    deliveries: int
    reason: str
    at: str


async def list_parked(js: JetStreamContext) -> list[Parked]:
    """Every dead letter, oldest first."""
    state = (await js.stream_info(STREAM)).state
    found = []
    for seq in range(state.first_seq, state.last_seq + 1) if state.messages else ():
        try:
            message = await js.get_msg(STREAM, seq)
        except NotFoundError:
            continue
        found.append(_parked(seq, message.headers or {}, str(message.time or "")))
    return found


async def replay(js: JetStreamContext, seq: int) -> bool:
    """Give a dead letter back to its subject, then remove it; False if there is none of that number, or not any more.

    Handlers are idempotent, so a second copy is harmless. What several consumers parked goes to all of them by one copy:
    otherwise what still fails is parked by each of them for each of them, and every replay multiplies it.
    """
    try:
        message = await js.get_msg(STREAM, seq)
    except NotFoundError:
        return False
    headers, body = message.headers or {}, message.data or b""
    copy = f"replay-{_original(message.subject or '')}-{hashlib.sha256(body).hexdigest()}"
    await js.publish(headers["Netral-Subject"], body, headers={"Nats-Msg-Id": copy})
    return await drop(js, seq)


async def drop(js: JetStreamContext, seq: int) -> bool:
    """Remove a dead letter; False if there is none of that number, or not any more. Raises NATS errors."""
    try:
        return bool(await js.delete_msg(STREAM, seq))
    except APIError as refused:
        if refused.err_code in _NOT_THERE:
            return False
        raise


async def park_what_was_given_up(js: JetStreamContext, advisory: bytes) -> None:
    """Park the message a MAX_DELIVERIES or MSG_TERMINATED advisory speaks of, unless it was parked already."""
    told = json.loads(advisory)
    stream, consumer, seq = told["stream"], told["consumer"], int(told["stream_seq"])
    if (stream, consumer) not in _OURS or stream == "ADVISORIES":
        note(outcome="not ours")
        return
    if await _there(js, f"parked.{stream}.{consumer}.{seq}"):
        note(outcome="parked already")
        return
    try:
        message = await js.get_msg(stream, seq)
    except NotFoundError:
        note(outcome="gone")
        return
    await park(
        js,
        message.data or b"",
        subject=message.subject or "",
        stream=stream,
        consumer=consumer,
        seq=seq,
        deliveries=int(told.get("deliveries", 0)),
        reason=f"given up by the broker ({told['type'].rsplit('.', 1)[-1]})",
    )


async def _there(js: JetStreamContext, subject: str) -> bool:
    try:
        await js.get_last_msg(STREAM, subject)
    except NotFoundError:
        return False
    return True


def _original(subject: str) -> str:
    """The message that `parked.{stream}.{consumer}.{seq}` is a copy of."""
    _, stream, _, number = subject.split(".")
    return f"{stream}-{number}"


def _parked(seq: int, headers: dict[str, str], at: str) -> Parked:
    return Parked(
        seq=seq,
        stream=headers.get("Netral-Stream", ""),
        consumer=headers.get("Netral-Consumer", ""),
        subject=headers.get("Netral-Subject", ""),
        deliveries=int(headers.get("Netral-Deliveries", "0")),
        reason=headers.get("Netral-Reason", ""),
        at=at,
    )
