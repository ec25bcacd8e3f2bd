"""Memory of routing and notifications, as processes, beside few stored cases and mails, and beside many.

`python -m tests.bench.beside [--stored 1000 1000000] [--keep]`; a million cases and mails take 18 GB in TMPDIR. With
`--keep` the figures become a section of docs/performance.md. Not part of `make bench`, which has a quarter of an hour.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import text

from services.routing.deciding import load_judge
from services.runtime.bus import Bus
from services.runtime.database import open_engine
from tests.bench import machine, mails, ours, views
from tests.bench.page import put
from tests.bench.views_filling import lives
from tests.conftest import Broker
from tests.running import Processes
from tests.shell import forget_installation

WORK = 1000
"""Reports that are taken, routed and told by mail, and as many pages that agencies and operator ask for."""
NAMES = ("routing", "notifications")
Memory = dict[str, float]
"""MiB by what it is the memory of."""


@asynccontextmanager
async def running(folder: Path, cases: str, ledger: str) -> AsyncIterator[tuple[Processes, Bus]]:
    """A system over filled databases, ready; its streams are empty."""
    broker = Broker(folder)
    system = Processes(broker, anew=True)
    system.extra |= {"NETRAL_CASES_URL": cases, "NETRAL_LEDGER_URL": ledger, "NETRAL_MAIL_RATE": "0"}
    try:
        await asyncio.to_thread(broker.start)
        for name in ("smtp", *ours.NAMES):
            system.start(name)
        for name in ours.NAMES:
            await system.ready(name)
        bus = await Bus.connect(broker.settings, "operator")
        yield system, bus
        await bus.close()
    finally:
        system.stop()
        broker.stop()


async def measured(system: Processes, bus: Bus, run: str) -> Memory:
    """Idle, and after WORK."""
    found = {f"{name}, idle": machine.resident(system.running[name].pid) for name in NAMES}
    await ours.door(system.url("intake"), run, WORK)
    await ours.drained(bus.js, ours.NAMES)
    keys = json.loads(system.broker.settings.secret("agency-keys.json"))
    async with httpx.AsyncClient(base_url=system.url("routing"), timeout=30) as http:
        for number in range(WORK):
            who, path = (("BAWASLU", "agencies/BAWASLU/inbox"), ("OPERATOR", "operator/stats"))[number % 2]
            asked = await http.get(f"/v1/{path}", headers={"Authorization": f"Bearer {keys[who]}"})
            asked.raise_for_status()
    return found | {f"{name}, after work": machine.resident(system.running[name].pid) for name in NAMES}


async def filled(folder: Path, stored: int) -> tuple[str, str]:
    """Addresses of a read model whose limits have all been said, and of a ledger whose mails have all been sent."""
    cases, ledger = (f"sqlite+aiosqlite:///{folder / name}.db" for name in ("cases", "ledger"))
    await views.filled(cases, stored, lives(load_judge()))
    engine = open_engine(cases, durable=False)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE timers SET fired = 1"))
    await engine.dispose()
    await (await mails.filled(ledger, stored)).close()
    return cases, ledger


def section(few: Memory, many: Memory, stored: list[int]) -> str:
    """What the page says of it."""
    lines = [
        f"`make bench-memory`: a system of each size takes {WORK:,} reports, routes them and tells of them by mail, and "
        f"answers {WORK:,} questions for inboxes and statistics. Read model and ledger are SQLite.",
        "",
        f"| memory of | beside {stored[0]:,} cases and mails | beside {stored[1]:,} | ratio |",
        "| --- | --- | --- | --- |",
        *(
            f"| {name} | {few[name]:.0f} MiB | {many[name]:.0f} MiB | {many[name] / few[name]:.2f} |"
            for name in few
        ),
    ]
    return "\n".join(lines)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, nargs=2, default=[1000, 1_000_000])
    parser.add_argument("--keep", action="store_true", help="write a section of docs/performance.md")
    given = parser.parse_args()
    if not machine.has_room(f"{max(given.stored):,} cases", sum(given.stored) * (views.EACH + mails.A_MAIL)):
        return
    found = list[Memory]()
    for stored in given.stored:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "databases").mkdir()
            addresses = await filled(Path(folder) / "databases", stored)
            async with running(Path(folder) / "system", *addresses) as (system, bus):
                found.append(await measured(system, bus, f"beside {stored}"))
    told = section(found[0], found[1], given.stored)
    print(f"\n{told}")
    if given.keep:
        put("Memory beside many", told)


if __name__ == "__main__":
    forget_installation()
    asyncio.run(main())
