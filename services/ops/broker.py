"""Reads nats-server's own monitoring, of a cluster that of each server, into streams, durables, figures and complaints."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from contracts.topology import CONSUMERS, STREAMS
from services.ops.core.snapshot import Durable, Stream


@dataclass(frozen=True)
class Server:
    """The raw documents of one server."""

    varz: Mapping[str, Any]
    jsz: Mapping[str, Any]
    ill: str = ""
    """What its /healthz complains of: a stream that lost a write refuses every other until the server is restarted."""

    @property
    def name(self) -> str:
        return str(self.varz.get("server_name", ""))

    @property
    def storage_share(self) -> float:
        limit = self.jsz.get("config", {}).get("max_storage") or 0
        return float(self.jsz.get("storage", 0)) / limit if limit > 0 else 0.0

    def streams(self) -> Iterator[Any]:
        for account in self.jsz.get("account_details") or []:
            yield from account.get("stream_detail") or []

    def leads(self, found: Mapping[str, Any]) -> bool:
        """Whether what this server says of a stream or durable holds: a follower says that nothing waits."""
        cluster = found.get("cluster")
        return not cluster or cluster.get("leader") == self.name


class BrokerFigures:
    """One reading. `now` is UTC; `away` names the servers that do not answer, each with the reason."""

    def __init__(self, servers: Sequence[Server], now: datetime, away: tuple[str, ...] = ()) -> None:
        self.servers, self.away, self._now = servers, away, now

    @classmethod
    async def read(
        cls, client: httpx.AsyncClient, addresses: Sequence[str], now: datetime
    ) -> "BrokerFigures":
        found = await asyncio.gather(*(_server(client, address) for address in addresses))
        away = tuple(server for server in found if isinstance(server, str))
        return cls([server for server in found if isinstance(server, Server)], now, away)

    @property
    def ill(self) -> tuple[str, ...]:
        """The servers that answer and are not well, each with its complaint."""
        return tuple(f"{server.name or 'nats-server'}: {server.ill}" for server in self.servers if server.ill)

    @property
    def streams(self) -> tuple[Stream, ...]:
        return tuple(
            Stream(s["name"], s["state"]["messages"], s["state"]["bytes"], _instant(s["state"]["first_ts"]))
            for s in self._told(lambda stream: [stream])
        )

    @property
    def durables(self) -> tuple[Durable, ...]:
        return tuple(
            Durable(
                stream=consumer["stream_name"],
                name=consumer["name"],
                pending=consumer["num_pending"],
                unacknowledged=consumer["num_ack_pending"],
                redelivered=consumer["num_redelivered"],
                delivered=consumer["ack_floor"]["consumer_seq"],
                moved_at=self._now,
            )
            for consumer in self._told(lambda stream: stream.get("consumer_detail") or [])
        )

    @property
    def lacking(self) -> tuple[str, ...]:
        """What the topology table has and no server does, by name."""
        streams = {stream.name for stream in self.streams}
        durables = {(durable.stream, durable.name) for durable in self.durables}
        return (
            *(stream.name for stream in STREAMS if stream.name not in streams),
            *(c.name for c in CONSUMERS if (c.stream, c.name) not in durables),
        )

    @property
    def storage_share(self) -> float:
        """How full the storage is that JetStream may use, from 0 to 1; of a cluster that of the fullest server."""
        return max((server.storage_share for server in self.servers), default=0.0)

    def _told(self, of: Callable[[Any], list[Any]]) -> list[Any]:
        """Each part of each stream once, by name, as its leader tells it; while none leads, as any server does."""
        found: dict[tuple[str, str], Any] = {}
        for server in self.servers:
            for stream in server.streams():
                for part in of(stream):
                    key = (stream["name"], part["name"])
                    if key not in found or server.leads(part):
                        found[key] = part
        return [found[key] for key in sorted(found)]


async def _server(client: httpx.AsyncClient, address: str) -> Server | str:
    """What a server says, or why it says nothing."""
    try:
        varz = await client.get(f"{address}/varz")
        jsz = await client.get(f"{address}/jsz", params={"streams": "true", "consumers": "true"})
        health = await client.get(f"{address}/healthz")
        ill = "" if health.is_success else str(health.json().get("error") or health.status_code)
        return Server(varz.raise_for_status().json(), jsz.raise_for_status().json(), ill)
    except (httpx.HTTPError, ValueError) as trouble:
        return f"{address} ({type(trouble).__name__})"


def _instant(text: str) -> datetime | None:
    """NATS writes year 1 for a stream without messages."""
    return None if text.startswith("0001") else datetime.fromisoformat(text[:19] + "+00:00")
