"""`make chaos`: a seeded storm over real processes, then the checker. `--seed` repeats a run, `--minutes` makes it long."""

import argparse
import asyncio
import os
import random
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.runtime.bus import Bus
from tests.chaos.counting import counted, settled, verified
from tests.chaos.disk import small_disk
from tests.chaos.profile import Sent, reports
from tests.chaos.schedule import ROUND, Deed, schedule
from tests.chaos.speaking import Speakers
from tests.chaos.world import World
from tests.conftest import Broker
from tests.postgres import PostgresServer
from tests.shell import forget_installation

RATE = 3.0
"""Reports a second; copies come besides."""
SHORT = 60.0
"""Seconds under which a run does not wait until intake itself settles what a kill left open; clients ask again."""
AT_ONCE = 32
EVERY = 5


@dataclass
class Run:
    """A storm of `seconds`; `tickets` are what was accepted by key, `broken` every promise that was not kept."""

    seed: int
    seconds: float
    burst: int = 8
    tickets: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    speaking: list[asyncio.Task[None]] = field(default_factory=list)
    speakers: Speakers | None = None
    """Agencies that go on with every EVERY-th case, and with those of many persons; in a long run."""

    @property
    def plan(self) -> list[Deed]:
        return schedule(self.seed, self.seconds)

    async def over(self, world: World) -> None:
        """Load and deeds at once, then quiet, then the checks. Raises what no deed explains."""
        await world.start()
        if self.seconds >= SHORT:
            self.speakers = Speakers.of(world.broker, world.system.url("routing"))
        minder, reading = asyncio.create_task(world.mind()), asyncio.create_task(world.reader.read())
        sent = reports(self.seed, int(self.seconds * RATE), self.burst)
        try:
            deeds = [asyncio.create_task(_at(deed, world)) for deed in self.plan]
            await asyncio.gather(self._send_all(sent, world, 1 / RATE), *deeds)
            await asyncio.gather(*self.speaking)
            bus = await Bus.connect(world.broker.settings, "operator")
            try:
                await self._again(sent, world)
                self.broken += await settled(world, bus, 240 + self.seconds)
                self.broken += await verified(world)
                events = {one.key: one.event for one in sent if one.event}
                self.broken += await counted(world, bus, self.tickets, events)
            finally:
                await bus.close()
        finally:
            minder.cancel()
            reading.cancel()
            await world.stop()
        self.skipped = world.refused

    async def _send_all(self, sent: list[Sent], world: World, pause: float) -> None:
        gate, url = asyncio.Semaphore(AT_ONCE), world.system.url("intake") + "/v1/reports"
        async with httpx.AsyncClient(timeout=5, limits=httpx.Limits(max_connections=AT_ONCE)) as http:
            sending = []
            for one in sent:
                sending.append(asyncio.create_task(self._send(http, url, one, gate)))
                if not one.key.startswith("copy"):
                    await asyncio.sleep(pause)
            await asyncio.gather(*sending)

    async def _send(self, http: httpx.AsyncClient, url: str, one: Sent, gate: asyncio.Semaphore) -> None:
        """With the same key until the door says yes or no for good."""
        headers = {"Idempotency-Key": one.key, "Content-Type": "application/json"}
        async with gate:
            while True:
                try:
                    answer = await http.post(url, content=one.body, headers=headers)
                except httpx.HTTPError:
                    await asyncio.sleep(0.2)
                    continue
                if answer.status_code in (202, 400, 413, 422):
                    break
                if answer.status_code != 503:
                    self.broken.append(f"{one.key} was answered {answer.status_code}: {answer.text[:300]}")
                    return
                await asyncio.sleep(0.2)
        self._judge(one, answer)

    def _judge(self, one: Sent, answer: httpx.Response) -> None:
        accepted = answer.status_code == 202
        if accepted != (one.event is not None):
            self.broken.append(f"{one.key} was answered {answer.status_code}: {answer.text[:300]}")
        elif (
            accepted and self.tickets.setdefault(one.key, answer.json()["ticket"]) != answer.json()["ticket"]
        ):
            self.broken.append(f"{one.key} got two tickets")
        elif accepted and self.speakers and (one.key.startswith("crowd") or len(self.tickets) % EVERY == 0):
            self.speaking.append(asyncio.create_task(self.speakers.go_on(answer.json()["ticket"])))

    async def _again(self, sent: list[Sent], world: World) -> None:
        """Keys once more, as clients that lost an answer do: the ticket is the same, and nothing follows from it."""
        some = sent if self.seconds < SHORT else random.Random(self.seed).sample(sent, 20)
        await self._send_all(some, world, pause=0)


async def _at(deed: Deed, world: World) -> None:
    await asyncio.sleep(deed.at)
    await world.do(deed)


def storm(
    seed: int,
    seconds: float,
    folder: Path,
    burst: int = 8,
    keep: Path | None = None,
    database: PostgresServer | None = None,
) -> Run:
    """One run in an empty folder; the run, to be asked what was broken. `database` must be running."""
    run = Run(seed, seconds, burst)
    with small_disk(folder, 256 + int(seconds)) as disk:
        broker = Broker(disk.data if disk else folder)
        broker.start()
        try:
            asyncio.run(run.over(World(broker, disk, database)))
        finally:
            broker.stop()
            if keep:
                shutil.copytree(broker.data_dir, keep, dirs_exist_ok=True)
    return run


def main() -> int:
    """Exit code 0 if every promise was kept."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=ROUND / 60)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--burst", type=int, default=8, help="copies of one report at once")
    options.add_argument("--keep", type=Path, help="copy the logs into this folder")
    options.add_argument("--postgres", action="store_true", help="with a PostgreSQL server that crashes too")
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else time.time_ns() % 1_000_000
    seconds, started = chosen.minutes * 60, time.monotonic()
    print(
        f"seed {seed}; repeat with: make chaos SEED={seed} MINUTES={chosen.minutes:g}{' POSTGRES=1' * chosen.postgres}"
    )
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("\n".join(map(str, schedule(seed, seconds))), flush=True)
    database = PostgresServer() if chosen.postgres else None
    if database:
        database.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            run = storm(seed, seconds, Path(folder) / "data", chosen.burst, chosen.keep, database)
    finally:
        if database:
            database.stop()
    for kind, reason in run.skipped.items():
        print(f"not done: {kind}: {reason}")
    for broken in run.broken[:50]:
        print(f"BROKEN {broken}")
    verdict = f"{len(run.broken)} promises broken" if run.broken else "everything is as promised"
    if run.speakers:
        print(f"{run.speakers.said} steps said by agencies")
    print(
        f"{len(run.tickets)} reports accepted in {time.monotonic() - started:.0f} s: {verdict} (seed {seed})"
    )
    return 1 if run.broken else 0


if __name__ == "__main__":
    forget_installation()
    raise SystemExit(main())
