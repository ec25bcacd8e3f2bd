"""A random walk through the running system: reports and steps by everybody, services and broker killed -9 on the way.

`python -m tests.chaos.walk --steps 100000 --seed 7` walks as long as wanted and ends with the independent checker; the
suite walks a few hundred steps. What got no answer is sent again, as every client of ours does.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from services.cli.verify.checking import Checker, Databases
from services.cli.verify.days import packaged
from services.routing.calendar_files import HERE
from services.runtime.bus import Bus
from services.runtime.clock import now
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import Processes, until

SERVICES = ("smtp", "intake", "routing", "notifications")
STATUSES = ("PNS", "PNS", "PNS", "PPPK", "KEPALA_DESA", "TNI", "UNKNOWN")
PROGRESS = (
    ("BAWASLU", "STUDY_CONCLUDED", "BREACH"),
    ("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH"),
    ("BAWASLU", "STUDY_CONCLUDED", "REPAIR_NEEDED"),
    ("BKN", "SATGAS_VERIFIED", "VALID"),
    ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"),
    ("BKN", "SUPERVISOR_CONCLUDED", "RETURNED"),
    ("PPK", "PPK_CONCLUDED", "SANCTIONED"),
    ("BKN", "PPK_CONCLUDED", "SILENT"),
    ("BKN", "PPK_CONCLUDED", "WRONG_SANCTION"),
    ("BAWASLU", "WITHDRAWN", None),
)
MOVES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("BAWASLU", {"move": "TRANSFER", "to": "POLRI"}),
    ("POLRI", {"move": "ACCEPT"}),
    ("BAWASLU", {"move": "REFUSE", "to": "BKN", "article": "UU 7/2017 art. 455"}),
    ("PPK", {"move": "RETURN", "reason": "berkas kurang"}),
    ("BKN", {"move": "RETURN", "to": "BAWASLU", "reason": "kajian kurang"}),
    ("BKN", {"move": "DONE"}),
    ("OPERATOR", {"move": "ASSIGN", "to": "BAWASLU"}),
    ("OPERATOR", {"move": "VOID", "step": 1, "reason": "keliru"}),
    ("OPERATOR", {"move": "VOID", "step": 2, "reason": "keliru"}),
    ("BKN", {"move": "BLOCK"}),
    ("KEMENDAGRI", {"move": "WARN"}),
)
AT_ONCE = 8


class Walk:
    """One seed, one walk; `told` counts what happened."""

    def __init__(self, broker: Broker, seed: int) -> None:
        self.broker, self.system, self.dice = broker, Processes(broker), random.Random(seed)
        self.keys: dict[str, str] = json.loads(broker.settings.secret("agency-keys.json"))
        self.tickets: list[str] = []
        self.told: Counter[str] = Counter()

    async def walk(self, steps: int, kills: int) -> None:
        """So many steps, and so many deaths among them at random moments."""
        for name in SERVICES:
            self.system.start(name)
        for name in SERVICES[1:]:
            await self.system.ready(name)
        deaths = {self.dice.randrange(steps) for _ in range(kills)}
        async with httpx.AsyncClient(timeout=10) as http:
            pending = set[asyncio.Task[None]]()
            for number in range(steps):
                if number in deaths:
                    self.kill(self.dice.choice((*SERVICES, "broker")))
                pending.add(asyncio.create_task(self.one(http, number)))
                if len(pending) >= AT_ONCE:
                    _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*pending)

    def kill(self, name: str) -> None:
        """kill -9, and started again at once."""
        self.told[f"killed {name}"] += 1
        if name == "broker":
            self.broker.kill()
            self.broker.server.start()
        else:
            self.system.kill(name)
            self.system.start(name)

    async def one(self, http: httpx.AsyncClient, number: int) -> None:
        if len(self.tickets) < 3 or self.dice.random() < 0.2:
            await self.report(http, number)
        else:
            await self.step(http)

    async def report(self, http: httpx.AsyncClient, number: int) -> None:
        """A new report, or a copy of an earlier one under a key of its own."""
        about = number if self.dice.random() < 0.8 else self.dice.randrange(number + 1)
        body = a_report(person__name=f"Orang {about}", person__status=self.dice.choice(STATUSES))
        url, headers = self.system.url("intake") + "/v1/reports", {"Idempotency-Key": f"walk-{number}"}
        answer = await self.answered(http, url, body, headers, {202})
        self.tickets.append(answer.json()["ticket"])

    async def step(self, http: httpx.AsyncClient) -> None:
        """What anybody says about any case; most of it is refused, as it should be."""
        ticket = self.dice.choice(self.tickets)
        if self.dice.random() < 0.7:
            by, event, result = self.dice.choice(PROGRESS)
            door, body = "progress", {"event": event, "on": now().date().isoformat()}
            body |= {"result": result} if result else {}
        else:
            by, body = self.dice.choice(MOVES)
            door = "moves"
        root = "/v1/operator" if by == "OPERATOR" else f"/v1/agencies/{by}"
        url = f"{self.system.url('routing')}{root}/cases/{ticket}/{door}"
        await self.answered(http, url, body, {"Authorization": f"Bearer {self.keys[by]}"}, {200, 404, 409})

    async def answered(
        self, http: httpx.AsyncClient, url: str, body: Any, headers: dict[str, str], good: set[int]
    ) -> httpx.Response:
        """The answer, asked for again while the service or its broker is away."""
        for _ in range(600):
            try:
                answer = await http.post(url, json=body, headers=headers)
            except httpx.HTTPError:
                self.told["no answer"] += 1
                await asyncio.sleep(0.1)
                continue
            self.told[f"{url.rsplit('/', 1)[-1]} {answer.status_code}"] += 1
            if answer.status_code in good:
                return answer
            if answer.status_code not in (429, 500, 503):
                raise AssertionError(f"{url}: {answer.status_code} {answer.text[:300]}")
            await asyncio.sleep(0.1)
        raise AssertionError(f"{url}: no answer in a minute")

    async def findings(self, patience: float = 120) -> list[str]:
        """What the independent checker finds once the work under way has ended."""
        bus, folder = await Bus.connect(self.broker.settings, "operator"), self.broker.data_dir
        try:
            await until(lambda: _quiet(bus), patience)
            off = packaged(HERE)
            names = ("routing", "intake", "notifications")
            databases = Databases(*(f"sqlite+aiosqlite:///{folder}/{name}.db" for name in names))
            checker = Checker(bus, databases, {off.version: off})
            found = [str(finding) async for finding in checker.findings(now())]
            self.told.update({f"checked {name}": count for name, count in checker.counts._asdict().items()})
            return found
        finally:
            await bus.close()


async def _quiet(bus: Bus) -> bool:
    durables = (("REPORTS", "routing"), ("CASES", "routing-projection"), ("TIMERS", "routing-timers"))
    infos = [await bus.js.consumer_info(*durable) for durable in durables]
    return not any(info.num_pending or info.num_ack_pending for info in infos)


async def main(steps: int, seed: int, kills: int, broker: Broker) -> int:
    walk = Walk(broker, seed)
    try:
        await walk.walk(steps, kills)
        found = await walk.findings(600)
    finally:
        walk.system.stop()
    print("\n".join(f"{count:8} {what}" for what, count in sorted(walk.told.items())))
    print("\n".join(found) or f"nothing found after {steps} steps and {kills} deaths (seed {seed})")
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, help="default: one in 500 steps")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        server = Broker(Path(place))
        server.start()
        try:
            deaths = given.kills if given.kills is not None else given.steps // 500
            code = asyncio.run(main(given.steps, given.seed, deaths, server))
        finally:
            server.stop()
    sys.exit(code)
