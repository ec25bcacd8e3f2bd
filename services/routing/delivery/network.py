"""Makes connections the guard allows: resolves, checks every address, and connects to one that was checked.

Because the name is not resolved a second time, a resolver that changes its answer gains nothing; name and certificate
(SNI, Host) stay those of the URL.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import httpcore

from services.routing.core.targets import Openings, Refused, addresses_refusal

MOST_ADDRESSES = 3
"""How many addresses of a host are tried for one connection."""
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
                    return await self._inner.connect_tcp(address, port, share, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                    trouble = refused
            raise trouble

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise Refused("a webhook never goes to a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
