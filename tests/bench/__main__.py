"""Door and whole road beside the raw publish of the client, under the same fsync setting; medians of three."""

import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig

from services.runtime.bus import Bus
from tests.bench.load import body, post_reports, run_names
from tests.conftest import Broker
from tests.running import Processes, until

ROUNDS = 3
RAW, REPORTS, CONNECTIONS, IN_FLIGHT = 4000, 2000, 64, 256
Measure = Callable[[], Awaitable[float]]


async def raw_publish(js: JetStreamContext) -> float:
    """Messages a second of nats-py alone: as many in flight as pay, each acknowledged after its fsync."""
    content, numbers = body("raw"), iter(range(RAW))

    async def publisher() -> None:
        for _ in numbers:
            await js.publish("raw", content, stream="RAW")

    started = time.perf_counter()
    await asyncio.gather(*(publisher() for _ in range(IN_FLIGHT)))
    return RAW / (time.perf_counter() - started)


async def door(url: str, run: str) -> float:
    """Reports a second that were answered 202: vault and broker have both synced them."""
    started = time.perf_counter()
    await post_reports(url, REPORTS, CONNECTIONS, run)
    return REPORTS / (time.perf_counter() - started)


async def road(url: str, run: str, js: JetStreamContext) -> float:
    """Reports a second from the first request to the last agency's event."""
    before = (await js.stream_info("CASES")).state.messages
    started = time.perf_counter()
    await post_reports(url, REPORTS, CONNECTIONS, run)

    async def told() -> bool:
        return (await js.stream_info("CASES")).state.messages >= before + 6 * REPORTS

    await until(told, 120)
    return REPORTS / (time.perf_counter() - started)


async def drained(js: JetStreamContext) -> None:
    async def quiet() -> bool:
        info = await js.consumer_info("REPORTS", "routing")
        return not info.num_pending and not info.num_ack_pending

    await until(quiet, 120)


async def measure(broker: Broker, system: Processes) -> dict[str, list[float]]:
    bus = await Bus.connect(broker.settings, "operator")
    await bus.js.add_stream(StreamConfig(name="RAW", subjects=["raw"], storage=StorageType.FILE))
    url, runs = system.url("intake"), run_names()
    figures: dict[str, list[float]] = {"raw publish": [], "door": [], "whole road": []}
    await door(url, next(runs))
    for _ in range(ROUNDS):
        await drained(bus.js)
        figures["raw publish"].append(await raw_publish(bus.js))
        system.kill("routing")
        figures["door"].append(await door(url, next(runs)))
        system.start("routing")
        await system.ready("routing")
        await drained(bus.js)
        figures["whole road"].append(await road(url, next(runs), bus.js))
    await bus.close()
    return figures


def show(figures: dict[str, list[float]]) -> None:
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, sync_interval: always"
    )
    print(f"1.5 kB reports, medians of {ROUNDS}; load, services and broker share the cores\n")
    limit = statistics.median(figures["raw publish"])
    for name, values in figures.items():
        middle = statistics.median(values)
        spread = (max(values) - min(values)) / middle
        print(f"  {name:12} {middle:7.0f}/s  ±{spread / 2:4.0%}   {middle / limit:5.2f} of the raw publish")
    stored = statistics.median(figures["whole road"]) * 7 / limit
    print(
        f"\n  The whole road stores 7 messages a report: {stored:.2f} of the raw limit for as many messages."
    )


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        await asyncio.to_thread(broker.start)
        system = Processes(broker)
        try:
            for name in ("intake", "routing"):
                system.start(name)
                await system.ready(name)
            show(await measure(broker, system))
        finally:
            system.stop()
            broker.stop()


if __name__ == "__main__":
    uvloop.run(main())
