"""A good receiver of webhooks and bad ones, each on a port of its own in a thread."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import uvicorn

from contracts.receiver.asgi import application
from contracts.receiver.seen import Seen
from contracts.receiver.signing import key_of
from contracts.receiver.webhook import Answer, Receiver
from tests.ports import free_port

Answers = Callable[[Mapping[str, str], bytes, datetime], Answer]


class Good:
    """What the kit makes."""

    def __init__(self, *keys: str) -> None:
        self.keys = [key_of(key) for key in keys]
        self.kit = Receiver(keys, Seen(":memory:"), lambda event: None)

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        return self.kit.answer(headers, body, now)


class Trusting(Good):
    """Checks no signature."""

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        return Answer(200)


class Raising(Good):
    """A parser that trusts the form of a header, as a hasty one does."""

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        if any(entry.count(",") != 1 for entry in headers.get("webhook-signature", "v1,").split(" ")):
            return Answer(500)
        return super().answer(headers, body, now)


class Timeless(Good):
    """Takes a recording of any age."""

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        text = headers.get("webhook-timestamp", "")
        try:
            return super().answer(
                headers, body, datetime.fromtimestamp(int(text), UTC) + timedelta(seconds=1)
            )
        except (ValueError, OSError):
            return Answer(400)


class OnlyOnce(Good):
    """Takes a repetition for an error."""

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        found = super().answer(headers, body, now)
        return Answer(409) if found.document.get("result") == "handled before" else found


class Strict(Good):
    """Refuses what it does not know, and bodies over four thousand bytes."""

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        if b"grew" in body or b"unheard" in body:
            return Answer(422)
        return Answer(413) if len(body) > 4_000 else super().answer(headers, body, now)


class Moved(Good):
    """Sends the sender elsewhere."""

    def answer(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Answer:
        return Answer(301)


@contextmanager
def serving(receiver: Good) -> Iterator[str]:
    """The address of a receiver while the block runs."""
    app = application(receiver, lambda: datetime.now(UTC))  # type: ignore[arg-type]
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", loop="asyncio", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/netral"
    finally:
        server.should_exit = True
        thread.join(10)
