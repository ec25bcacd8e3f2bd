"""Reads nats-server's own monitoring (/varz, /jsz) into streams, durables and figures."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx

from services.ops.core.snapshot import Durable, Stream


class BrokerFigures:
    """One reading: the raw documents, and what the page needs of them. `now` is UTC."""

    def __init__(self, varz: Mapping[str, Any], jsz: Mapping[str, Any], now: datetime) -> None:
        self.varz, self.jsz, self._now = varz, jsz, now

    @classmethod
    async def read(cls, client: httpx.AsyncClient, address: str, now: datetime) -> "BrokerFigures":
        """Raises httpx.HTTPError and ValueError."""
        varz = await client.get(f"{address}/varz")
        jsz = await client.get(f"{address}/jsz", params={"streams": "true", "consumers": "true"})
        return cls(varz.raise_for_status().json(), jsz.raise_for_status().json(), now)

    @property
    def streams(self) -> tuple[Stream, ...]:
        return tuple(
            Stream(s["name"], s["state"]["messages"], s["state"]["bytes"], _instant(s["state"]["first_ts"]))
            for s in self._streams()
        )

    @property
    def durables(self) -> tuple[Durable, ...]:
        return tuple(
            Durable(
                stream=stream["name"],
                name=consumer["name"],
                pending=consumer["num_pending"],
                unacknowledged=consumer["num_ack_pending"],
                redelivered=consumer["num_redelivered"],
                delivered=consumer["ack_floor"]["consumer_seq"],
                moved_at=self._now,
            )
            for stream in self._streams()
            for consumer in stream.get("consumer_detail") or []
        )

    @property
    def storage_share(self) -> float:
        """How full the storage is that JetStream may use, from 0 to 1."""
        limit = self.jsz.get("config", {}).get("max_storage") or 0
        return float(self.jsz.get("storage", 0)) / limit if limit > 0 else 0.0

    def _streams(self) -> Iterator[Any]:
        for account in self.jsz.get("account_details") or []:
            yield from account.get("stream_detail") or []


def _instant(text: str) -> datetime | None:
    """NATS writes year 1 for a stream without messages."""
    return None if text.startswith("0001") else datetime.fromisoformat(text[:19] + "+00:00")
