"""Makes connections the guard allows: resolves, checks every address, and connects to one that was checked.

Because the name is not resolved a second time, a resolver that changes its answer gains nothing; name and certificate
(SNI, Host) stay those of the URL.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import httpcore

from services.routing.core.targets import Openings, Refused, addresses_refusal

MOST_ADDRESSES = 3
"""How many addresses of a host are tried for one connection."""
MOST_OF_ANSWER = 16_384
"""Bytes of an answer, with its headers and all that comes before them; no more is read."""
Resolver = Callable[[str, int], Awaitable[list[str]]]


def system_resolver(executor: Executor) -> Resolver:
    """Resolves by the system, in threads of its own: a slow name server of one agency keeps no other waiting."""

    async def resolve(host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            executor, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    return resolve


def resolver_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="resolve")


async def allowed_addresses(host: str, port: int, openings: Openings, resolve: Resolver) -> list[str]:
    """The addresses of a host, all of them allowed. Raises Refused and OSError."""
    try:
        found = await resolve(host, port)
    except UnicodeError:
        raise Refused(f"{host} is no name of the domain name system") from None
    if reason := addresses_refusal(found, host, openings):
        raise Refused(reason)
    return found


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """The only way out for webhooks."""

    def __init__(self, openings: Openings, resolve: Resolver) -> None:
        self._openings, self._resolve = openings, resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises Refused beside what a backend raises."""
        async with asyncio.timeout(timeout):
            addresses = await allowed_addresses(host, port, self._openings, self._resolve)
            trouble: Exception = httpcore.ConnectError("no address")
            tried = addresses[:MOST_ADDRESSES]
            share = timeout and timeout / max(
                1, len(tried)
            )  # one that never answers must not use the others' time up
            for address in tried:
                try:
                    reached = await self._inner.connect_tcp(
                        address, port, share, local_address, socket_options
                    )
                    return BoundedStream(reached)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                    trouble = refused
            raise trouble

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise Refused("a webhook never goes to a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class BoundedStream(httpcore.AsyncNetworkStream):
    """A connection of which only so much is read for each request.

    An answer may have interim ones before it (RFC 9110, 15.2), as many as it likes: to read them without end would keep
    all that runs in this process waiting.
    """

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner, self._room = inner, MOST_OF_ANSWER

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Raises ReadError where there was more than an answer may have."""
        if self._room <= 0:
            raise httpcore.ReadError(f"more than {MOST_OF_ANSWER} bytes")
        found = await self._inner.read(min(max_bytes, self._room), timeout)
        self._room -= len(found)
        return found

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """A request, or a part of it: it may be answered."""
        self._room = MOST_OF_ANSWER
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return BoundedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
