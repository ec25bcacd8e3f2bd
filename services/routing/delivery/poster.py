"""One POST to a receiver, and what it came to: never followed, never through a proxy, bounded in time and size."""

import asyncio
import errno
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import httpcore

from services.routing.core.deliveries import Outcome, Verdict, outcome_of
from services.routing.core.targets import Openings, Refused, Target, target_of
from services.routing.delivery.network import GuardedBackend, Resolver, allowed_addresses, resolver_threads
from services.routing.delivery.network import system_resolver as resolver
from services.runtime.clock import Clock
from services.runtime.logs import log

CONNECT = 5.0
TOTAL = 20.0
"""Seconds for a connection, and for the whole exchange."""
LINGER = 1.0
"""Seconds a receiver gets to finish its body once its status is there; nothing in it decides anything."""
MOST_BYTES = 4096
CONNECTIONS = 32
_OURS = {
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOBUFS,
    errno.ENOMEM,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EADDRNOTAVAIL,
}
"""Troubles of this machine: no receiver is to blame."""


class Answered(NamedTuple):
    """The outcome, and the beginning of the body for the one who must compare it; nobody keeps it."""

    outcome: Outcome
    body: bytes = b""


@dataclass
class _Way:
    """The connections and resolving threads of one agency, which nobody shares."""

    threads: ThreadPoolExecutor
    resolve: Resolver
    pool: httpcore.AsyncConnectionPool


class Poster:
    """A way out for each agency. `resolve` replaces the resolver of the system; `total` is in seconds."""

    def __init__(
        self,
        openings: Openings,
        clock: Clock,
        *,
        ca_file: Path | None = None,
        resolve: Callable[[str], Resolver] | None = None,
        total: float = TOTAL,
    ) -> None:
        self._openings, self._clock, self._total = openings, clock, total
        self._ca_file = ca_file
        self._resolve = resolve
        self._ways: dict[str, _Way] = {}
        if ca_file:
            _ = self._tls  # one that cannot be read is said at the start

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The authorities of this machine take a start 40 ms to read, and most processes post nothing for a while."""
        context = ssl.create_default_context()
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        return context

    async def check(self, agency: str, url: str) -> Target:
        """The target of a URL whose host now has allowed addresses only. Raises Refused."""
        target = target_of(url, self._openings)
        try:
            async with asyncio.timeout(CONNECT):
                await allowed_addresses(target.host, target.port, self._openings, self._way(agency).resolve)
        except (OSError, TimeoutError):
            raise Refused(f"{target.host} has no address just now; check the name and try again") from None
        return target

    async def post(self, agency: str, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """POST once. Raises nothing but cancellation: whatever happens is an outcome."""
        status: list[Answered] = []
        try:
            target = target_of(url, self._openings)
            async with asyncio.timeout(self._total):
                await self._exchange(agency, target, headers, body, status)
        except Refused as refusal:
            log("webhook.refused_by_guard", level="WARNING", agency=agency, reason=refusal.reason)
            return Answered(Outcome(Verdict.FORBIDDEN, "guard"))
        except (TimeoutError, httpcore.TimeoutException):
            return status[0] if status else Answered(Outcome(Verdict.BUSY, "timeout"))
        except Exception as trouble:
            return status[0] if status else Answered(_broken(trouble))
        return status[0]

    async def close(self) -> None:
        for way in self._ways.values():
            await way.pool.aclose()
            way.threads.shutdown(wait=False, cancel_futures=True)

    async def _exchange(
        self, agency: str, target: Target, headers: Mapping[str, str], body: bytes, status: list[Answered]
    ) -> None:
        """`status` holds the answer as soon as there is one, however the body goes on."""
        timeout = {"connect": CONNECT, "read": self._total, "write": self._total, "pool": self._total}
        host = target.url.split("/")[2]
        sent = [
            ("Host", host),
            ("Content-Length", str(len(body))),
            ("User-Agent", "netral"),
            *headers.items(),
        ]
        async with self._way(agency).pool.stream(
            "POST", target.url, headers=sent, content=body, extensions={"timeout": timeout}
        ) as response:
            outcome = outcome_of(response.status, _retry_after(response.headers, self._clock))
            status.append(Answered(outcome))
            async with asyncio.timeout(LINGER):
                read = b""
                async for chunk in response.aiter_stream():
                    read += chunk
                    status[0] = Answered(outcome, read[:MOST_BYTES])
                    if len(read) > MOST_BYTES:
                        return

    def _way(self, agency: str) -> _Way:
        if agency not in self._ways:
            threads = resolver_threads()
            resolve = self._resolve(agency) if self._resolve else resolver(threads)
            pool = httpcore.AsyncConnectionPool(
                ssl_context=self._tls,
                max_connections=CONNECTIONS,
                keepalive_expiry=30,
                network_backend=GuardedBackend(self._openings, resolve),
            )
            self._ways[agency] = _Way(threads, resolve, pool)
        return self._ways[agency]


def _broken(trouble: Exception) -> Outcome:
    """What a broken exchange says: whose fault, in one word."""
    chain, seen = trouble, [trouble]
    while (
        (inner := chain.__cause__ or chain.__context__) and inner not in seen and isinstance(inner, Exception)
    ):
        chain = inner
        seen.append(inner)
    if any(isinstance(one, OSError) and one.errno in _OURS for one in seen):
        return Outcome(Verdict.OURS, "network")
    if any(isinstance(one, ssl.SSLError) for one in seen):
        return Outcome(Verdict.FAILED, "tls")
    if isinstance(trouble, httpcore.NetworkError | httpcore.ProtocolError | OSError):
        return Outcome(Verdict.FAILED, "connection")
    log("webhook.post_failed", level="ERROR", error=type(trouble).__name__)
    return Outcome(Verdict.OURS, "fault")


def _retry_after(headers: list[tuple[bytes, bytes]], clock: Clock) -> float | None:
    """Seconds that `Retry-After` asks for: a number or a date (RFC 9110); None where it says nothing readable."""
    text = next(
        (value.decode("latin-1") for name, value in headers if name.lower() == b"retry-after"), ""
    ).strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return (parsedate_to_datetime(text) - clock()).total_seconds() if text else None
    except (ValueError, TypeError):
        return None
