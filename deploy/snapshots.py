"""Copies whole streams out of a broker and back, with their sequences, times and consumers (JetStream's snapshot API)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError

CHUNK = 128 * 1024
PATIENCE = 30.0
"""Seconds to wait for the next piece, or for the server to take one."""


class SnapshotFailed(Exception):
    """The broker refused or broke off; the text names the stream and the broker's words."""


async def save(nc: Client, stream: str, path: Path) -> dict[str, Any]:
    """Write a stream into `path` as it is at this moment; its config and state. Raises SnapshotFailed."""
    inbox = nc.new_inbox()
    pieces = await nc.subscribe(inbox)
    try:
        asked = json.dumps({"deliver_subject": inbox, "chunk_size": CHUNK}).encode()
        said = await _request(nc, f"$JS.API.STREAM.SNAPSHOT.{stream}", asked, stream)
        with path.open("wb") as file:
            while True:
                piece = await pieces.next_msg(timeout=PATIENCE)
                if not piece.data:
                    _complain(stream, piece.headers)
                    break
                file.write(piece.data)
                if piece.reply:
                    await nc.publish(piece.reply)
    except (NatsError, TimeoutError) as trouble:
        raise SnapshotFailed(f"{stream}: the copy broke off ({type(trouble).__name__})") from None
    finally:
        await pieces.unsubscribe()
    return {"config": said["config"], "state": said["state"]}


async def load(
    nc: Client,
    stream: str,
    path: Path,
    described: dict[str, Any],
    changed: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> None:
    """Make a stream again from a copy; it must not exist. `changed` may adapt its config. Raises SnapshotFailed."""
    asked = json.dumps({"config": changed(described["config"]), "state": described["state"]}).encode()
    said = await _request(nc, f"$JS.API.STREAM.RESTORE.{stream}", asked, stream)
    to = said["deliver_subject"]
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                await nc.request(to, piece, timeout=PATIENCE)
        answer = json.loads((await nc.request(to, b"", timeout=PATIENCE)).data)
    except (NatsError, TimeoutError) as trouble:
        raise SnapshotFailed(f"{stream}: the broker stopped taking it ({type(trouble).__name__})") from None
    _refused(stream, answer)


async def _request(nc: Client, subject: str, body: bytes, stream: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads((await nc.request(subject, body, timeout=PATIENCE)).data)
    except (NatsError, TimeoutError) as trouble:
        raise SnapshotFailed(f"{stream}: the broker does not answer ({type(trouble).__name__})") from None
    _refused(stream, answer)
    return answer


def _refused(stream: str, answer: dict[str, Any]) -> None:
    if error := answer.get("error"):
        raise SnapshotFailed(f"{stream}: {error.get('description', 'refused')}")


def _complain(stream: str, headers: dict[str, str] | None) -> None:
    """The end of a copy is an empty message; with a status it is not the end but a failure."""
    if headers and headers.get("Status", "").startswith(("4", "5")):
        raise SnapshotFailed(f"{stream}: {headers.get('Description', headers['Status'])}")
