"""Every connection of ours: user, own inbox, TLS, and patience without end, also with a broker that refuses us."""

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.protocol.parser import PERMISSIONS_ERR

from services.runtime.logs import log
from services.runtime.settings import BadSettings, Settings

PING = 5
"""Seconds between two pings. A broker that answers none of two or three is left for another one: nats-py would go on waiting
for five minutes for one that stands still or whose machine vanished."""

FLUSH = 5
"""Seconds that two megabytes which were not sent yet may keep the next message waiting; nats-py's own is for ever."""

LIMIT_HOLDS = 5.0
"""Seconds for which we believe a broker about the largest message it takes; it says so to who connects, and only then."""

REFUSED_HOLDS = 10.0
"""Seconds after which what we could not listen to is asked for anew: a broker forgets a subscription that it refuses."""


class ConnectionLost(NatsError):  # type: ignore[misc]
    """The connection ended before the answer came; what was asked may have been done, or may be done yet.

    `again` is set when the next connection stands.
    """

    def __init__(self, again: asyncio.Event) -> None:
        self.again = again
        super().__init__("nats: connection lost")


class Persistent(Client):  # type: ignore[misc]
    """Comes back whatever the server says: nats-py's own closes for ever at any error it is told while it is connected.

    A server tells one when a user's password is exchanged under it, or a limit of its own is reached. A request whose
    connection is seen to end ends with it; nats-py's own waits for the whole of its patience (ADR 0108).
    """

    def __init__(self) -> None:
        super().__init__()
        self._again = asyncio.Event()
        self._when_found: list[Callable[[], None]] = []
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._limit_told = -LIMIT_HOLDS
        self._listening_anew: asyncio.Task[None] | None = None

    async def publish(self, *said: Any, **how: Any) -> None:
        """As nats-py's. What is too large for this connection may not be for the next: the limit may be another by now."""
        try:
            await super().publish(*said, **how)
        except MaxPayloadError as refusal:
            if time.monotonic() - self._limit_told >= LIMIT_HOLDS:
                self._limit_told = time.monotonic()
                await self._error_cb(refusal)
                await self.force_reconnect()
            raise

    async def request(self, *asked: Any, **how: Any) -> Msg:
        """As nats-py's. Raises ConnectionLost, too."""
        answer = asyncio.ensure_future(super().request(*asked, **how))
        try:
            await asyncio.wait((answer, self._lost), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ConnectionLost(self._again)
            return answer.result()
        finally:
            answer.cancel()

    async def lost(self) -> None:
        """The connection ended: what was asked over it is not answered over the next one."""
        self._again.clear()
        self._lost.set_result(None)
        self._lost = asyncio.get_running_loop().create_future()

    async def found(self) -> None:
        """The next connection stands."""
        self._again.set()
        for do in self._when_found:
            do()

    def when_found(self, do: Callable[[], None]) -> None:
        """Do this whenever the next connection stands, as long as this client lives."""
        self._when_found.append(do)

    async def close(self) -> None:
        """Leave. What was not sent to a broker that is away is dropped; nats-py's own writes it into a closed transport."""
        if not self.is_connected:
            self._pending: list[bytes] = []
            self._pending_data_size = 0
        await super().close()

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """As nats-py's, which looks at every letter of every name: a tenth of all that routing does."""
        found = {}
        for line in raw.split(b"\r\n"):
            name, colon, value = line.partition(b":")
            if colon and (key := _header(name)) is not None:
                found[key] = value.strip().decode("utf-8", "replace")
        return found

    async def _process_err(self, err_msg: str) -> None:
        if PERMISSIONS_ERR in err_msg:
            await super()._process_err(err_msg)
            if "subscription" in err_msg.lower() and (
                self._listening_anew is None or self._listening_anew.done()
            ):
                self._listening_anew = asyncio.create_task(self._listen_anew())
            return
        if self._current_server:
            self._current_server.last_attempt = time.monotonic()  # or it is asked again without a pause
        refusal = NatsError(f"nats: {err_msg}")
        await self._error_cb(refusal)
        await self._process_op_err(refusal)

    async def _listen_anew(self) -> None:
        """What this connection may not hear, the next one may, once the broker's permissions are mended."""
        await asyncio.sleep(REFUSED_HOLDS)
        await self.force_reconnect()


@lru_cache(256)
def _header(name: bytes) -> str | None:
    """The name of a header; None for what is none: not ASCII, or with a blank inside."""
    if not name.isascii():
        return None
    words = name.strip().decode("ascii")
    return None if any(map(str.isspace, words)) else words


async def connected(settings: Settings, user: str) -> Client:
    """A connection that lasts until it is closed, however long the first takes. Raises BadSettings."""
    client = Persistent()
    await client.connect(
        **connection(settings, user), disconnected_cb=client.lost, reconnected_cb=client.found
    )
    return client


def connection(settings: Settings, user: str) -> dict[str, Any]:
    """The arguments of a connection of ours: who we are, our own inbox, and patience without end. Raises BadSettings."""
    return {
        "servers": settings.nats_url.split(","),
        "user": user,
        "password": _password(settings, user),
        "name": f"netral-{user}",
        "inbox_prefix": f"_INBOX_{user}".encode(),
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.5,
        "connect_timeout": 2,
        "ping_interval": PING,
        "flush_timeout": FLUSH,
        "error_cb": _heard,
        **({"tls": context} if (context := _tls(settings)) else {}),
    }


def _password(settings: Settings, user: str) -> Callable[[], str]:
    """Read for each attempt, so that an exchanged one holds without a restart; the last one while none can be read."""
    known = settings.secret(f"nats-{user}")

    def read() -> str:
        nonlocal known
        with suppress(BadSettings, ValueError):  # it may be about to be written
            known = settings.secret(f"nats-{user}") or known
        return known

    return read


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS if a setting or the address asks for it. Raises BadSettings."""
    if settings.nats_tls_ca is None and not settings.nats_url.startswith("tls:"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.nats_tls_ca)
        if settings.nats_tls_cert:
            context.load_cert_chain(settings.nats_tls_cert, settings.nats_tls_key)
    except OSError as problem:
        raise BadSettings(
            f"NETRAL_NATS_TLS_CA, _CERT or _KEY: cannot be used ({problem.strerror or problem}); "
            "name PEM files that can be read"
        ) from None
    return context


async def _heard(problem: Exception) -> None:
    """A refusal in the words of who refused: an operator must tell an old password from a certificate that ran out."""
    why = str(problem)[:100] if isinstance(problem, NatsError) else None
    if isinstance(problem, ssl.SSLCertVerificationError):
        why = problem.verify_message
    log("broker.trouble", level="WARNING", error=type(problem).__name__, why=why)
