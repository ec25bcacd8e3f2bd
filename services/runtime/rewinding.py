"""Sets a durable back, so that what it was given is given again (ADR-60 of NATS; nats-server 2.14 and later)."""

import json
from datetime import UTC, datetime
from typing import Any

from nats.aio.client import Client


class NoSuchDurable(Exception):
    """There is no durable of this name: its agency was never given an identity at the broker."""

    code = 10014
    """How the broker says it."""


async def rewind(
    nc: Client, stream: str, durable: str, *, sequence: int | None = None, since: datetime | None = None
) -> int:
    """Deliver again from a sequence of the stream or from an instant on; where it begins now.

    `since` has a zone. It only goes back: what was not acknowledged yet is never passed over. Raises NoSuchDurable,
    TimeoutError and NATS errors.
    """
    info = await _asked(nc, f"$JS.API.CONSUMER.INFO.{stream}.{durable}", {})
    if info.get("error", {}).get("err_code") == NoSuchDurable.code:
        raise NoSuchDurable(durable)
    unread = int(info["ack_floor"]["stream_seq"]) + 1
    start = await _first_since(nc, stream, since) if since else sequence
    start = unread if start is None else min(max(start, 1), unread)
    answer = await _asked(nc, f"$JS.API.CONSUMER.RESET.{stream}.{durable}", {"seq": start})
    if error := answer.get("error"):
        raise TimeoutError(f"broker error {error.get('err_code')}")
    return int(answer["reset_seq"])


async def _first_since(nc: Client, stream: str, since: datetime) -> int | None:
    """One direct get by time; None if nothing came since then."""
    wanted = {"batch": 1, "start_time": since.astimezone(UTC).isoformat(), "next_by_subj": ">"}
    answer = await nc.request(f"$JS.API.DIRECT.GET.{stream}", json.dumps(wanted).encode(), timeout=5)
    found = (answer.headers or {}).get("Nats-Sequence")
    return int(found) if found else None


async def _asked(nc: Client, subject: str, question: dict[str, Any]) -> dict[str, Any]:
    answer = await nc.request(subject, json.dumps(question).encode(), timeout=5)
    return dict(json.loads(answer.data))
