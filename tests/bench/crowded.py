"""What a report costs at the door beside a thousand others, and beside a million: a system for each, measured in turns.

`python -m tests.bench.crowded [--reports 1000 1000000] [--keep]`; a million take 8 GB in TMPDIR. With `--keep` the figures
become a section of docs/performance.md.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop
from nats.js.api import DeliverPolicy
from sqlalchemy import insert, text

from contracts.topology import CONSUMERS
from services.intake.vault_tables import ACCEPTED, reports
from services.runtime.batches import Batch, Message, publish_batch
from services.runtime.bus import Bus
from services.runtime.database import open_engine
from tests.bench import machine, ours
from tests.bench.load import body, run_names
from tests.bench.page import put
from tests.conftest import Broker
from tests.running import Processes
from tests.shell import forget_installation

ROUNDS, EACH = 6, 1000
BLOCK, BATCH = 10_000, 500
"""Rows in a statement; messages in a batch."""
A_REPORT = 12_000
"""Bytes it takes in vault and stream, and a little more."""
MEASURES = {
    "accepted": "/s",
    "CPU of intake at the door": "ms",
    "CPU of intake, comparing included": "ms",
    "CPU of the broker at the door": "ms",
    "memory of intake": "MiB",
    "memory of the broker": "MiB",
}


@dataclass
class Crowd:
    """Intake and its broker, with so many reports in vault and stream; `figures` has a value of each round."""

    folder: Path
    reports: int
    figures: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURES})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Filled, ready and warm."""
        self.broker = Broker(self.folder)
        self.system = Processes(self.broker, anew=True)
        try:
            await asyncio.to_thread(self.broker.start)
            self.bus = await Bus.connect(self.broker.settings, "operator")
            await self._begin()
            yield
            await self.bus.close()
        finally:
            self.system.stop()
            self.broker.stop()

    async def _begin(self) -> None:
        self.system.start("intake")
        await self.system.ready("intake")
        self.system.kill("intake")
        await self._fill_vault()
        await self._fill_stream()
        self.system.start("intake")
        await self.system.ready("intake")
        await ours.door(self.system.url("intake"), "warm", 200)
        await ours.drained(self.bus.js, ("intake",))

    async def _fill_vault(self) -> None:
        """A block of different reports, the first rows; then these again and again under other ids all over the index."""
        engine = open_engine(f"sqlite+aiosqlite:///{self.broker.data_dir / 'intake.db'}", durable=False)
        block = min(BLOCK, self.reports)
        others = [column.name for column in reports.columns if column.name != "report_id"]
        again = text(
            f"INSERT INTO reports (report_id, {', '.join(others)}) SELECT substr(report_id, 1, 28) || :number, "
            f"{', '.join(others)} FROM reports WHERE rowid <= {block}"
        )
        async with engine.begin() as connection:
            await connection.execute(insert(reports), list(_rows(block)))
        for number in range(1, self.reports // block):
            async with engine.begin() as connection:
                await connection.execute(again, {"number": f"{number:08x}"})
        await engine.dispose()

    async def _fill_stream(self) -> None:
        """Nobody is asked to work them off: the durables are made anew behind them."""
        durables = [one for one in CONSUMERS if one.stream == "REPORTS"]
        found = [(await self.bus.js.consumer_info(one.stream, one.name)).config for one in durables]
        for one in durables:
            await self.bus.js.delete_consumer(one.stream, one.name)
        content = body("stored long ago")
        for _ in range(self.reports // BATCH):
            batch = [Message(f"reports.{uuid4()}.accepted", content) for _ in range(BATCH)]
            assert await publish_batch(self.bus.nc, Batch(batch))
        for config in found:
            await self.bus.js.add_consumer("REPORTS", config.evolve(deliver_policy=DeliverPolicy.NEW))

    async def measure(self, run: str) -> None:
        """One round: the door, and then what it leaves to be compared."""
        assert self.broker.server.process
        intake, broker = self.system.running["intake"].pid, self.broker.server.process.pid
        before, broker_before = machine.cpu(intake), machine.cpu(broker)
        speed, _ = await ours.door(self.system.url("intake"), run, EACH)
        at_door, by_broker = machine.cpu(intake) - before, machine.cpu(broker) - broker_before
        await ours.drained(self.bus.js, ("intake",))
        values = (
            speed,
            *(1000 * spent / EACH for spent in (at_door, machine.cpu(intake) - before, by_broker)),
        )
        memory = (machine.resident(pid) for pid in (intake, broker))
        for name, value in zip(MEASURES, (*values, *memory), strict=True):
            self.figures[name].append(value)


def _rows(count: int) -> Iterator[dict[str, Any]]:
    """Rows of the vault as large as those of a report of 1.5 kB."""
    for _ in range(count):
        report_id = str(uuid4())
        yield {
            "report_id": report_id,
            "ticket": f"NTR-{report_id[:19]}",
            "body_mac": os.urandom(32),
            "state": ACCEPTED,
            "received_at": datetime(2026, 1, 1, tzinfo=UTC),
            "event": os.urandom(900).hex(),
            "dossier": os.urandom(1130),
            "dossier_key": os.urandom(60),
            "reporter": os.urandom(330),
            "reporter_key": os.urandom(60),
            "key_id": "00000000",
        }


def section(crowds: list[Crowd]) -> str:
    """What the page says of it."""
    few, many = crowds[0], crowds[-1]
    lines = [
        f"Two systems, each an intake and its broker, take {EACH:,} reports in turns, {ROUNDS} times; medians, and the "
        "median of the ratios of each round. The vault is SQLite; a stored report is a row of it and a message. None is "
        "like another: where some are, at most three are compared with each new one, which costs intake up to a third more.",
        "",
        f"| a report | beside {few.reports:,} | beside {many.reports:,} | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for name, unit in MEASURES.items():
        pairs = list(zip(many.figures[name], few.figures[name], strict=True))
        ratio = statistics.median([one / other for one, other in pairs])
        cells = " | ".join(_cell(statistics.median(crowd.figures[name]), unit) for crowd in (few, many))
        lines.append(f"| {name} | {cells} | {ratio:.2f} |")
    return "\n".join(lines)


def _cell(value: float, unit: str) -> str:
    return f"{value:,.2f} {unit}" if value < 10 else f"{value:,.0f} {unit}"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, nargs=2, default=[1000, 1_000_000])
    parser.add_argument("--keep", action="store_true", help="write a section of docs/performance.md")
    given = parser.parse_args()
    if not machine.has_room(f"{max(given.reports):,} reports", sum(given.reports) * A_REPORT):
        return
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        crowds = [Crowd(folder / str(count), count) for count in given.reports]
        for crowd in crowds:
            await stack.enter_async_context(crowd.running())
        for number, run in zip(range(ROUNDS), run_names(), strict=False):
            for crowd in crowds if number % 2 else reversed(crowds):
                await crowd.measure(run)
    found = section(crowds)
    print(f"\n{found}")
    if given.keep:
        put("Many reports", found)


if __name__ == "__main__":
    forget_installation()
    uvloop.run(main())
