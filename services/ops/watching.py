"""Looks at every part of the system each few seconds and keeps the last snapshot, with a short memory for the charts."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.ops.broker import BrokerFigures
from services.ops.core.objectives import OBJECTIVES, failed, late
from services.ops.core.rates import apart, lost, tried_in_vain
from services.ops.core.series import grown
from services.ops.core.snapshot import Durable, Snapshot, next_durable
from services.ops.settings import OpsSettings
from services.runtime.clock import Clock
from services.runtime.logs import log

SECONDS = 5.0
MATCHES_SECONDS = 60.0
"""Near matches wait for days and are counted through all of them, so they are looked at less often."""
_STOPPED = frozenset({"DISABLED", "SUSPENDED"})
"""States of an endpoint in which nothing is sent until a human has done something."""
REMEMBERED = 120
"""Looks that the charts show: ten minutes."""


@dataclass(frozen=True)
class Keys:
    """What the ops page shows at the doors of the others."""

    metrics_token: str
    operator_key: str


class Watch:
    """`last` is the newest snapshot, `figures` the newest reading of the broker, `past` the memory."""

    def __init__(
        self, settings: OpsSettings, keys: Keys, clock: Clock, client: httpx.AsyncClient | None = None
    ) -> None:
        self._settings, self._keys, self._clock = settings, keys, clock
        self._client = client or httpx.AsyncClient(timeout=3, trust_env=False, follow_redirects=False)
        self.last = Snapshot(clock())
        self.figures: BrokerFigures | None = None
        self.past: deque[Snapshot] = deque(maxlen=REMEMBERED)
        self._unseen: dict[str, str] = {}
        self._totals_of: dict[str, dict[str, float]] = {}
        self._matches: tuple[datetime, datetime | None] | None = None

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as trouble:  # the page must stay, whatever it sees
                log("ops.look_failed", level="WARNING", error=type(trouble).__name__)
            await asyncio.sleep(SECONDS)

    async def look(self) -> Snapshot:
        """Make a new snapshot; what does not answer is a fact in it, not an error."""
        now = self._clock()
        self._unseen.clear()
        names = self._settings.services
        ready, totals, broker, cases, matches, webhooks = await asyncio.gather(
            asyncio.gather(*(self._ready(url) for url in names.values())),
            asyncio.gather(*(self._totals(url) for url in names.values())),
            self._broker(now),
            self._cases(names["routing"]),
            self._matches_since(names["routing"], now),
            self._webhooks(names["routing"]),
        )
        services = dict(zip(names, ready, strict=True))
        self.last = replace(
            broker,
            services=services,
            totals=_merged(totals),
            ageing=cases[0],
            orphans=cases[1],
            matches_since=matches,
            webhooks=webhooks,
            blind=tuple(sorted(self._blind(services))),
        )
        self._conclude()
        return self.last

    def _conclude(self) -> None:
        """What only several looks together tell."""
        self.past.append(self.last)
        came = grown(self.past[0].totals, self.last.totals)
        self.last = self.past[-1] = replace(
            self.last,
            in_vain=tried_in_vain(self.past),
            late={it.name: late(came, it) for it in OBJECTIVES},
            failed=failed(came),
            apart=apart(came),
            lost=lost(came),
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def _ready(self, url: str) -> str:
        """Why a service is not ready; empty when it is."""
        try:
            answer = await self._client.get(f"{url}/readyz")
            return "" if answer.status_code == 200 else str(answer.json().get("detail") or answer.status_code)
        except (httpx.HTTPError, ValueError) as trouble:
            return f"{url} does not answer ({type(trouble).__name__})"

    async def _totals(self, url: str) -> dict[str, float]:
        """Every series of a service; while it does not answer the last ones: it did nothing, and nothing anew."""
        if answer := await self._asked(f"{url}/metrics", self._keys.metrics_token):
            found = await asyncio.to_thread(_series, answer.text)
            if url not in self._totals_of:
                self._begin_with(found)
            self._totals_of[url] = found
        return self._totals_of.get(url, {})

    def _begin_with(self, found: Mapping[str, float]) -> None:
        """What a service did before it was first seen did not happen in the time that is remembered."""
        for n, look in enumerate(self.past):
            self.past[n] = replace(look, totals=_merged([look.totals, found]))

    async def _broker(self, now: datetime) -> Snapshot:
        figures = await BrokerFigures.read(self._client, self._settings.monitor_addresses, now)
        if not figures.servers:
            return Snapshot(now, broker="; ".join(figures.away))
        self.figures = figures
        before: dict[str, Durable] = {durable.name: durable for durable in self.last.durables}
        return Snapshot(
            now,
            servers_away=figures.away,
            servers_ill=figures.ill,
            streams=figures.streams,
            durables=tuple(next_durable(before, durable) for durable in figures.durables),
            lacking=figures.lacking,
            storage_share=figures.storage_share,
        )

    async def _cases(self, routing: str) -> tuple[tuple[Mapping[str, Any], ...], int]:
        """Ageing and the number of cases without an owner, as routing counts them; nothing while it does not answer."""
        key = self._keys.operator_key
        stats = await self._asked(f"{routing}/v1/operator/stats", key)
        orphans = await self._asked(f"{routing}/v1/operator/cases?orphans=true", key)
        return tuple(stats.json()["ageing"]) if stats else (), len(
            orphans.json()["matters"]
        ) if orphans else 0

    async def _matches_since(self, routing: str, now: datetime) -> datetime | None:
        """Since when the oldest near match waits, as of the last minute; as it was while routing does not answer."""
        looked, since = self._matches or (None, None)
        if looked and (now - looked).total_seconds() < MATCHES_SECONDS:
            return since
        answer = await self._asked(f"{routing}/v1/operator/matches?limit=1", self._keys.operator_key)
        if answer is None:
            return since
        told = answer.json()["oldest_since"]
        since = datetime.fromisoformat(told) if told else None
        self._matches = (now, since)
        return since

    async def _webhooks(self, routing: str) -> dict[str, frozenset[str]]:
        """What to see to at each agency's endpoints; nothing while routing does not answer."""
        found: dict[str, frozenset[str]] = {}
        answer = await self._asked(f"{routing}/v1/operator/webhooks", self._keys.operator_key)
        for one in answer.json()["endpoints"] if answer else ():
            stopped = {one["state"]} & _STOPPED
            found[one["agency"]] = found.get(one["agency"], frozenset()) | {*one["attention"], *stopped}
        return found

    async def _asked(self, url: str, token: str) -> httpx.Response | None:
        """An answer that can be read, or None, which is remembered: what is unseen is not well."""
        try:
            answer = await self._client.get(url, headers={"Authorization": f"Bearer {token}"})
        except httpx.HTTPError as trouble:
            self._unseen[url] = f"does not answer ({type(trouble).__name__})"
            return None
        if answer.status_code == 200:
            return answer
        self._unseen[url] = f"answers {answer.status_code}"
        return None

    def _blind(self, services: Mapping[str, str]) -> Iterator[str]:
        """What could not be seen, but for a service that is known to be away or not ready: that is said already."""
        away = [url for name, url in self._settings.services.items() if services[name]]
        for url, said in self._unseen.items():
            known = any(url.startswith(f"{base}/") for base in away)
            if not known or said.startswith("answers 4"):
                yield f"{url.partition('?')[0]} {said}"


def _merged(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            found[name] = found.get(name, 0.0) + value
    return found


def _series(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found
