"""What telemetry costs at 100 % sampling: the same load with and without, in turns. `python -m tests.bench.tracing`.

`off` is OTEL_SDK_DISABLED, `sink` a collector on this machine that throws away what it gets, `ops` the ops page as
`netral up` has it. Each round runs all of them, in an order that turns; every figure is the median of the rounds' ratios
to `off`. CPU of intake and routing is counted by the kernel, so other work on the machine touches it least.
"""

import argparse
import asyncio
import logging
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
import uvloop

from services.runtime.bus import Bus
from tests.bench import machine, ours
from tests.bench.load import post_reports, run_names
from tests.conftest import Broker
from tests.ports import free_port
from tests.running import Processes
from tests.shell import forget_installation

WAYS = ("off", "sink", "ops")
SERVICES = ("intake", "routing")
WARM = 100
GOAL = 0.15


class Measured(NamedTuple):
    """Reports a second at the door and until all cases are decided; seconds of CPU of the services for each report."""

    door: float
    road: float
    cpu: float


async def measure(broker: Broker, way: str, run: str, count: int, each: ours.Stored) -> Measured:
    """One way, with services of its own; `each` is what a report leaves in the streams."""
    system = Processes(broker, anew=True)
    system.modules["sink"], system.modules["ops"] = "tests.bench.tracing", "services.ops"
    system.ports |= {"ops": free_port(), "sink": free_port()}
    system.extra = {
        "NETRAL_MONITOR_PORT": str(broker.monitor_port),
        "NETRAL_BENCH_SINK": "1",
        **given(way, system),
    }
    names = SERVICES if way == "off" else (way, *SERVICES)
    for name in names:
        system.start(name)
    for name in names:
        await system.ready(name)
    bus = await Bus.connect(broker.settings, "operator")
    try:
        await post_reports(system.url("intake"), WARM, ours.CONNECTIONS, f"{run} warm")
        await ours.drained(bus.js)
        goals = {"CASES": await ours.held(bus.js, "CASES") + each.cases * count}
        before, started = used(system), time.perf_counter()
        await post_reports(system.url("intake"), count, ours.CONNECTIONS, run)
        door = time.perf_counter() - started
        await ours.reached(bus.js, goals)
        road = time.perf_counter() - started
        await ours.drained(bus.js)
        return Measured(count / door, count / road, (used(system) - before) / count)
    finally:
        await bus.close()
        await asyncio.to_thread(system.stop)


def given(way: str, system: Processes) -> dict[str, str]:
    """The variables of a way; none of those around us reach the services."""
    own = {name: "" for name in os.environ if name.startswith("OTEL_")}
    if way == "off":
        return {**own, "OTEL_SDK_DISABLED": "true"}
    name = "OTEL_EXPORTER_OTLP_ENDPOINT" if way == "sink" else "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    path = "" if way == "sink" else "/v1/traces"
    return {**own, name: system.url(way) + path}


def used(system: Processes) -> float:
    """Seconds of CPU of intake and routing until now."""
    found = 0.0
    for name in SERVICES:
        stat = Path(f"/proc/{system.running[name].pid}/stat").read_text().rpartition(")")[2].split()
        found += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return found


async def main(rounds: int, count: int) -> None:
    found: dict[str, list[Measured]] = defaultdict(list)
    runs, loads = run_names(), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        await asyncio.to_thread(broker.start)
        try:
            each = await _each(broker, next(runs))
            for number in range(rounds):
                loads.append(machine.load())
                for way in WAYS[number % 3 :] + WAYS[: number % 3]:
                    found[way].append(one := await measure(broker, way, next(runs), count, each))
                    print(
                        f"{way:5} door {one.door:5.0f}/s  road {one.road:5.0f}/s  CPU {one.cpu * 1000:.2f} ms",
                        flush=True,
                    )
        finally:
            broker.stop()
    print(
        f"\n{machine.named()}; {count} reports a measure; load {', '.join(f'{load:.1f}' for load in loads)}"
    )
    for way in WAYS[1:]:
        print(f"{way}: {told(found['off'], found[way])}")


async def _each(broker: Broker, run: str) -> ours.Stored:
    system = Processes(broker, anew=True)
    for name in SERVICES:
        system.start(name)
    for name in SERVICES:
        await system.ready(name)
    bus = await Bus.connect(broker.settings, "operator")
    try:
        return await ours.stored(system.url("intake"), run, bus.js, 50)
    finally:
        await bus.close()
        await asyncio.to_thread(system.stop)


def told(off: list[Measured], on: list[Measured]) -> str:
    """The median of the rounds' ratios, with the least and the greatest."""
    parts = []
    for field in Measured._fields:
        ratios = [getattr(b, field) / getattr(a, field) - 1 for a, b in zip(off, on, strict=True)]
        parts.append(f"{field} {statistics.median(ratios):+.1%} ({min(ratios):+.1%} to {max(ratios):+.1%})")
    return ", ".join(parts)


async def sink(scope: Any, receive: Any, send: Any) -> None:
    """A collector that costs as little as one can."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    if os.environ.get("NETRAL_BENCH_SINK"):
        port = int(os.environ["NETRAL_SINK_PORT"])
        uvicorn.run(sink, port=port, lifespan="off", log_level="error")
        sys.exit()
    forget_installation()
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--reports", type=int, default=600)
    chosen = options.parse_args()
    logging.disable(logging.CRITICAL)
    uvloop.run(main(chosen.rounds, chosen.reports))
