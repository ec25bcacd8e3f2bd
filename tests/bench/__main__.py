"""`make bench`: limits, our own figures and the usual pipeline, side by side in one run, written to docs/performance.md."""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from services.routing.deciding import load_judge
from services.runtime.bus import Bus
from tests.bench import limits, machine, ours, paced, push
from tests.bench.load import run_names
from tests.bench.page import Figures
from tests.bench.peers import REDIS, Peers
from tests.bench.pipelines import ROADS, USUAL, Pipelines, timed
from tests.bench.rules import DAY, facts_as_they_come, rate
from tests.bench.seldom import Seldom
from tests.bench.telling import tell
from tests.conftest import Broker
from tests.postgres import PostgresServer
from tests.running import Processes
from tests.shell import forget_installation

ROUNDS = 3
FULL, QUICK = 1200, 200
"""Reports of each measure."""
GENTLE = {"NETRAL_MAIL_BURST": "0", "NETRAL_MAIL_RATE": "0"}


@dataclass
class Bench:
    """One run; `size` is the reports of each measure."""

    broker: Broker
    system: Processes
    size: int
    figures: Figures = field(default_factory=Figures)
    runs: Iterator[str] = field(default_factory=run_names)
    loads: list[float] = field(default_factory=list)
    each: ours.Stored = field(default_factory=lambda: ours.Stored(0, 0))
    peers: Peers | None = None

    async def run(self) -> None:
        bus = await Bus.connect(self.broker.settings, "operator")
        seldom = Seldom(self.broker.data_dir / "seldom")
        vaults = PostgresServer(synced=True)
        await asyncio.to_thread(vaults.start)
        pipelines = Pipelines(self.broker.settings, bus.js, vaults)
        try:
            await limits.prepare(bus.js)
            await pipelines.start()
            await self._begin(bus, pipelines, vaults)
            await seldom.start(next(self.runs))
            for _ in range(ROUNDS):
                self.loads.append(machine.load())
                await self._limits(bus, vaults.new_database())
                await self._doors(pipelines)
                await self._road(bus)
                await self._paced(bus)
                await ours.drained(bus.js)
                await seldom.measure(self.figures, next(self.runs), self.size)
            self._memory("after the load", "intake", "routing")
            for _ in range(ROUNDS if self.size == FULL else 1):
                await self._faults()
        finally:
            pipelines.stop()
            if self.peers:
                self.peers.stop()
            vaults.stop()
            await seldom.stop()
            await bus.close()

    async def _begin(self, bus: Bus, pipelines: Pipelines, vaults: PostgresServer) -> None:
        for name in ("smtp", "intake", "routing"):
            self.system.start(name)
        for name in ("intake", "routing"):
            await self.system.ready(name)
        await pipelines.warmed(self.runs)
        if REDIS:
            self.peers = Peers(self.broker.data_dir, vaults.new_database())
            await self.peers.start()
            for url in self.peers.doors.values():
                await self.peers.road(url, next(self.runs), 100)
        self._memory("idle", "intake", "routing")
        self.each = await ours.stored(self.system.url("intake"), next(self.runs), bus.js, 50)

    async def _limits(self, bus: Bus, database: str) -> None:
        count, add = 4 * self.size, self.figures.add
        add("raw publish", await limits.publish(bus.js, count))
        add("raw batches of 250", await limits.batches(bus.js, count // 250 * 250))
        add("raw pull consume", await limits.consume(bus.js, count))
        add("SQLite batched insert", await asyncio.to_thread(limits.sqlite, self.broker.data_dir, 4000))
        add("PostgreSQL batched insert", await limits.postgresql(database, 4000))
        add("SMTP sink", await limits.smtp(200))

    async def _doors(self, pipelines: Pipelines) -> None:
        add, urls = self.figures.add, pipelines.urls
        self.system.kill("routing")
        add("empty door", (await ours.door(urls["empty"], next(self.runs), 2 * self.size))[0])
        await timed(self.figures, "bare grouping door", urls["grouped"], next(self.runs), self.size)
        await pipelines.measure(self.figures, self.runs, self.size)
        if self.peers:
            await self.peers.measure(self.figures, next(self.runs), self.size)
        speed, took = await ours.door(self.system.url("intake"), next(self.runs), self.size)
        add("our door", speed, limit="bare grouping door")
        add("our door, p50", 1000 * took[len(took) // 2], unit="ms")
        p99 = 1000 * took[int(0.99 * len(took))]
        add("our door, p99", p99, unit="ms", limit="bare grouping door, p99")
        for peer in (*USUAL.values(), *(self.peers.doors if self.peers else ())):
            add(f"our door beside {peer}", speed, limit=f"{peer} door")
            add(f"our door, p99, beside {peer}", p99, unit="ms", limit=f"{peer} door, p99")

    async def _road(self, bus: Bus) -> None:
        add = self.figures.add
        judge, facts = load_judge(), facts_as_they_come(2000)
        add("decisions, a core", rate(lambda one: judge.decide(one, DAY, ()), facts, rounds=1))
        begin = lambda: self.system.start("routing")  # noqa: E731
        add("routed from a backlog", await ours.backlog(bus.js, self.size, begin))
        await self.system.ready("routing")
        await ours.drained(bus.js)
        url = self.system.url("intake")
        speed, messages = await ours.road(url, next(self.runs), bus.js, self.size, self.each)
        add("whole road", speed)
        for peer in (*ROADS, *(self.peers.doors if self.peers else ())):
            add(f"whole road beside {peer}", speed, limit=f"{peer} road")
        add("messages of the whole road", messages, limit="raw publish")

    async def _paced(self, bus: Bus) -> None:
        for offered in paced.RATES:
            count = min(self.size // 8, 4 * offered)
            waits = await paced.told_after(bus, self.system.url("intake"), next(self.runs), count, offered)
            for name, wait in (("p50", waits[len(waits) // 2]), ("p99", waits[int(0.99 * len(waits))])):
                self.figures.add(
                    f"last agency told, {name}, {count} reports at {offered}/s", 1000 * wait, unit="ms"
                )

    async def _faults(self) -> None:
        def again(name: str) -> None:
            if name == "broker":
                self.broker.kill()
                self.broker.server.start()
            else:
                self.system.kill(name)
                self.system.start(name)

        for name in ("intake", "broker"):
            key = f"{name}-{next(self.runs)}"
            took = await ours.recovery(self.system.url("intake"), key, lambda name=name: again(name))  # type: ignore[misc]
            self.figures.add(f"accepts again after kill -9 of {name}", took, unit="s")

    async def mails(self, count: int) -> None:
        """Of a system of its own, without the backlog of the other measures; a case is five mails, the rounds take two."""
        bus = await Bus.connect(self.broker.settings, "operator")
        self.system.start("smtp")
        for name in ours.NAMES:
            for again in range(ROUNDS):
                if again:
                    self.system.kill(name)
                self.figures.add(f"start of {name}", await ours.started(self.system, name), unit="s")
        self._memory("idle", "notifications")
        self.system.kill("notifications")
        await ours.stored(self.system.url("intake"), next(self.runs), bus.js, count)
        self.system.start("notifications")
        for _ in range(ROUNDS):
            self.figures.add("mails", await ours.mails(bus.js, 2 * count // 3), limit="SMTP sink")
        self._memory("after the mails", "notifications")
        await bus.close()

    async def webhooks(self, count: int) -> None:
        for _ in range(ROUNDS):
            pushed, plain = await push.flat_out(count)
            self.figures.add("plain posts", plain)
            self.figures.add("webhooks", pushed, limit="plain posts")

    def _memory(self, when: str, *names: str) -> None:
        for name in names:
            held = machine.resident(self.system.running[name].pid)
            self.figures.add(f"memory of {name}, {when}", held, unit="MiB")


async def main(size: int) -> Bench:
    """The run, whose figures are complete."""
    async with _bench(size, Figures()) as bench:
        await bench.run()
    async with _bench(size, bench.figures) as other:
        await other.mails(min(size, 300))
        await other.webhooks(min(size, 600))
    return bench


@asynccontextmanager
async def _bench(size: int, figures: Figures) -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        await asyncio.to_thread(broker.start)
        system = Processes(broker, extra=GENTLE, anew=True)
        try:
            yield Bench(broker, system, size, figures)
        finally:
            system.stop()
            broker.stop()


if __name__ == "__main__":
    forget_installation()
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the reports, in under two minutes")
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    done = uvloop.run(main(QUICK if chosen.quick else FULL))
    tell(done.figures, done.each, done.size, done.loads, time.monotonic() - started, keep=not chosen.quick)
