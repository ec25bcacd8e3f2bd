"""`make soak`: an even load for an hour over real processes; memory, file handles and latency must stay flat."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

import httpx

from services.runtime.bus import Bus
from tests.bench.load import body
from tests.bench.machine import resident
from tests.conftest import Broker
from tests.deploy.releases import netral
from tests.running import Processes
from tests.shell import forget_installation

SERVICES = ("smtp", "intake", "routing", "notifications")
SAMPLES = 60
"""Looks at every process in a run."""
CREEP = 1.1
"""How much more of something the last quarter may need than the second: caches fill, nothing else may grow."""
SLOWER = 1.5
"""The same for a latency, which the machine's other work moves."""
FEW = 8.0
"""File handles that come and go with connections."""
BYTES_A_MESSAGE = 600
"""What nats-server keeps in memory for a stored message, each with a subject of its own (docs/operations.md)."""
GARBAGE = 2.0
"""Go's collector begins when what lies about has grown as large as what lives (GOGC=100)."""


@dataclass(frozen=True)
class Look:
    """One sample; MiB and open files of each process, the door's median and worst of a hundred in ms, what is stored."""

    memory: dict[str, float]
    files: dict[str, int]
    p50: float
    p99: float
    messages: int = 0


@dataclass
class Soak:
    """`looks` are what was seen; `tickets` what was accepted."""

    system: Processes
    rate: float
    looks: list[Look] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    took: list[float] = field(default_factory=list)

    async def over(self, seconds: float) -> None:
        """Send evenly for so long. Raises AssertionError for an answer that is no 202."""
        began, number = time.monotonic(), 0
        bus = await Bus.connect(self.system.broker.settings, "operator")
        async with httpx.AsyncClient(timeout=30) as http, asyncio.TaskGroup() as group:
            while (now := time.monotonic() - began) < seconds:
                if now >= (len(self.looks) + 1) * seconds / SAMPLES and self.took:
                    self.look(await _stored(bus))
                group.create_task(self.send(http, number))
                number += 1
                await asyncio.sleep(max(0.0, number / self.rate - (time.monotonic() - began)))
        self.look(await _stored(bus))
        await bus.close()

    async def send(self, http: httpx.AsyncClient, number: int) -> None:
        began, name = time.perf_counter(), f"soak {number}"
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"soak-{number}"}
        url = self.system.url("intake") + "/v1/reports"
        answer = await http.post(url, content=body(name), headers=headers)
        self.took.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 202, answer.text
        self.tickets.add(answer.json()["ticket"])

    def look(self, messages: int) -> None:
        pids = {name: process.pid for name, process in self.system.running.items()}
        if broker := self.system.broker.server.process:
            pids["broker"] = broker.pid
        memory = {name: resident(pid) for name, pid in pids.items()}
        files = {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in pids.items()}
        took = sorted(self.took)
        self.took.clear()
        seen = Look(memory, files, median(took), took[len(took) * 99 // 100], messages)
        self.looks.append(seen)
        shown = "  ".join(f"{name} {memory[name]:.0f} MiB {files[name]} files" for name in memory)
        print(f"{len(self.looks):3} p50 {seen.p50:.1f} ms p99 {seen.p99:.1f} ms  {shown}", flush=True)


def crept(looks: Sequence[Look]) -> list[str]:
    """What grew from the second quarter of a run to its last, one sentence for each."""
    quarter = len(looks) // 4
    early, late = looks[quarter : 2 * quarter], looks[-quarter:]
    found = []
    for name in looks[0].memory:
        before, after = (mean(look.memory[name] for look in part) for part in (early, late))
        stored = mean(look.messages for look in late) - mean(look.messages for look in early)
        known = stored * BYTES_A_MESSAGE * GARBAGE / 2**20 if name == "broker" else 0.0
        if after - known > before * CREEP:
            found.append(f"memory of {name} grew from {before:.0f} to {after:.0f} MiB")
        before, after = (mean(look.files[name] for look in part) for part in (early, late))
        if after > before + FEW:
            found.append(f"files of {name} grew from {before:.0f} to {after:.0f}")
    before, after = (median(look.p50 for look in part) for part in (early, late))
    if after > before * SLOWER:
        found.append(f"the door's median grew from {before:.1f} to {after:.1f} ms")
    return found


async def _stored(bus: Bus) -> int:
    return sum(info.state.messages for info in await bus.js.streams_info())


async def soak(broker: Broker, minutes: float, rate: float) -> list[str]:
    """An even load; what crept, and what the independent checker finds afterwards."""
    system = Processes(broker, anew=True)
    for name in SERVICES:
        system.start(name)
    try:
        for name in SERVICES[1:]:
            await system.ready(name)
        run = Soak(system, rate)
        await run.over(minutes * 60)
        print(f"{len(run.tickets)} reports accepted")
        checked = await asyncio.to_thread(netral, ["verify"], None, system.env())
        print(checked.stdout)
        return [
            *crept(run.looks),
            *([checked.stderr or "netral verify found something"] if checked.returncode else []),
        ]
    finally:
        system.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=3.0, help="reports a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        broker = Broker(Path(place))
        broker.start()
        try:
            found = asyncio.run(soak(broker, given.minutes, given.rate))
        finally:
            broker.stop()
    print("\n".join(found) or "nothing grew, and the checker finds nothing")
    return 1 if found else 0


if __name__ == "__main__":
    forget_installation()
    sys.exit(main())
