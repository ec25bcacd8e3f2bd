"""Reads an agency's own event stream over NATS (nats-py); the broker remembers the place, over breaks and restarts too.

async with AgencyStream("tls://broker.example:4222", seed, "BKN", tls_ca="ca.pem") as stream:
    async for told in stream:
        handle(told.event)     # pydantic: AgencyOffered, AgencyStepped or AgencyDue
        await told.done()      # not before it is handled: what is not done comes again
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import TypeAdapter, ValidationError

from contracts.agency_events import STREAM, AgencyDue, AgencyOffered, AgencyStepped, AnyAgencyEvent
from contracts.receiver.nkey import public_of, sign
from contracts.topology import agency_consumer

PATIENCE = 10
"""Seconds to wait for the first connection."""
PING = 10
"""Seconds between two pings; a broker that answers none of two or three is left: the library waits five minutes."""
ASKING = 5
"""Seconds that one question for the next event waits; after a break it is asked anew by then."""
_ANY: TypeAdapter[AgencyOffered | AgencyStepped | AgencyDue] = TypeAdapter(AnyAgencyEvent)
T = TypeVar("T")
_log = logging.getLogger("netral.receiver")


class CannotConnect(Exception):
    """The broker is away, refuses the key, or its certificate is not one of `tls_ca`; the message says which."""


@dataclass(frozen=True)
class Delivery:
    """One event. `sequence` is its place in the stream, to replay from; `times` how often it was given so far."""

    event: AgencyOffered | AgencyStepped | AgencyDue
    sequence: int
    times: int
    _message: Msg

    async def done(self) -> None:
        """It is handled; returns once the broker knows. Raises TimeoutError: then it may come again."""
        await heeding_cancellation(self._message.ack_sync(timeout=5))

    async def later(self, seconds: float = 30) -> None:
        """It cannot be handled now; it comes again after so many seconds, others go on."""
        await self._message.nak(delay=seconds)


class AgencyStream:
    """The stream of an agency, or of one office if the key is of an office (`prov:16`, `kabkota:16.07`)."""

    def __init__(
        self, url: str, seed: str, agency: str, office: str | None = None, *, tls_ca: str | None = None
    ) -> None:
        self._url, self._seed, self._durable = url, seed, agency_consumer(agency, office).name
        self._tls = ssl.create_default_context(cafile=tls_ca) if tls_ca or url.startswith("tls:") else None
        self._client = _NkeyClient(public_of(seed))
        self._trouble: Exception | None = None

    async def __aenter__(self) -> Self:
        """Connect. Raises CannotConnect within ten seconds."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._client.connect(
                    self._url,
                    signature_cb=lambda nonce: sign(self._seed, nonce),
                    inbox_prefix=f"_INBOX_{self._durable}".encode(),
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=1,
                    ping_interval=PING,
                    error_cb=self._heard,
                    reconnected_cb=self._admitted,
                    **({"tls": self._tls} if self._tls else {}),
                )
        except (NatsError, OSError, TimeoutError) as problem:
            await self._leave()
            raise CannotConnect(f"{self._url}: {self._trouble or problem or 'no answer'}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leave()

    async def _leave(self) -> None:
        """What waited is flushed; to a connection that is lost it cannot be, and that must not hide why it is left."""
        with suppress(NatsError, OSError):
            await self._client.close()

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        """Events without end, oldest first; a broker that is away is waited for.

        Raises CannotConnect once the key is refused: it was revoked while this was connected.
        """
        pulled = await self._client.jetstream().pull_subscribe_bind(self._durable, stream=STREAM)
        while True:
            try:
                messages = await heeding_cancellation(pulled.fetch(1, timeout=ASKING))
            except (NatsError, OSError) as problem:  # TimeoutError is an OSError: nothing came
                if self._client.is_closed or self._refused:
                    raise CannotConnect(f"{self._url}: {self._trouble or problem}") from None
                if not self._client.is_connected:
                    await asyncio.sleep(1)
                continue
            for message in messages:
                if (event := _event_in(message.data)) is None:
                    await message.ack()
                    continue
                meta = message.metadata
                yield Delivery(event, meta.sequence.stream, meta.num_delivered or 1, message)

    async def _heard(self, problem: Exception) -> None:
        self._trouble = problem
        _log.warning("broker: %s", problem)

    async def _admitted(self) -> None:
        self._trouble = None

    @property
    def _refused(self) -> bool:
        return "authorization" in str(self._trouble).lower() and not self._client.is_connected


class _NkeyClient(Client):  # type: ignore[misc]
    """nats-py signs with the package `nkeys` (`nats-py[nkeys]`); this one signs with `cryptography`."""

    def __init__(self, public: str) -> None:
        super().__init__()
        self._public_nkey: Any = public


async def heeding_cancellation(work: Awaitable[T]) -> T:
    """Await `work`, and end if this task was cancelled meanwhile, also where `work` did not notice.

    asyncio.wait_for of Python 3.11 swallows a cancellation that comes together with the broker's answer
    (python/cpython#86296); who cancels a reader would wait for its end for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        return await work
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def _event_in(raw: bytes) -> AgencyOffered | AgencyStepped | AgencyDue | None:
    """None for a kind of event that is newer than this kit; a replay brings it again after an update."""
    try:
        return _ANY.validate_json(raw)
    except ValidationError:
        _log.warning("an event this version of the kit does not know was passed over; update the kit")
        return None
