"""A random walk through the running system: reports and steps by everybody, services and broker killed -9 on the way.

`python -m tests.chaos.walk --steps 100000 --seed 7` walks as long as wanted and ends with the independent checker; the
suite walks a few hundred steps. What got no answer is sent again, as every client of ours does.
"""

import argparse
import asyncio
import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from services.cli.verify.checking import Checker, Databases
from services.cli.verify.days import packaged
from services.routing.calendar_files import HERE
from services.runtime.bus import Bus
from services.runtime.clock import now
from tests.chaos.wishes import Wish, wishes
from tests.conftest import Broker
from tests.running import Processes, until
from tests.shell import forget_installation

SERVICES = ("smtp", "intake", "routing", "notifications")
AT_ONCE = 40
"""Wishes under way; they are about different cases mostly, and about one case now and then."""
DURABLES = (
    ("REPORTS", "routing"),
    ("REPORTS", "intake-matching"),
    ("REPORTS", "routing-resembles"),
    ("CASES", "routing-projection"),
    ("TIMERS", "routing-timers"),
)


class Walk:
    """One seed, one walk; `told` counts what happened."""

    def __init__(self, broker: Broker, seed: int) -> None:
        self.broker, self.system, self.seed = broker, Processes(broker), seed
        self.keys: dict[str, str] = json.loads(broker.settings.secret("agency-keys.json"))
        self.tickets: dict[int, asyncio.Future[str]] = {}
        self.told: Counter[str] = Counter()
        self._tending = asyncio.Lock()

    async def walk(self, steps: int, kills: int, seconds: float = math.inf) -> int:
        """So many steps, and so many deaths among them at drawn moments; how many were wished when the time was over."""
        for name in SERVICES:
            self.system.start(name)
        for name in SERVICES[1:]:
            await self.system.ready(name)
        dice = random.Random(f"deaths {self.seed}")
        deaths = {dice.randrange(steps): dice.choice((*SERVICES, "broker")) for _ in range(kills)}
        tending = asyncio.create_task(self.tend())
        try:
            return await self._wished(steps, deaths, seconds)
        finally:
            tending.cancel()

    async def _wished(self, steps: int, deaths: dict[int, str], seconds: float) -> int:
        begun, number, free = time.monotonic(), 0, asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(timeout=10) as http, asyncio.TaskGroup() as group:
            for wish in wishes(self.seed, steps):
                await free.acquire()
                if time.monotonic() - begun > seconds:
                    break
                if victim := deaths.get(wish.number):
                    async with self._tending:
                        await asyncio.to_thread(self.kill, victim)
                if wish.door == "reports":
                    self.tickets[wish.about] = asyncio.get_running_loop().create_future()
                group.create_task(self.one(group, http, wish)).add_done_callback(lambda _: free.release())
                number = wish.number + 1
                if number % 1000 == 0:
                    print(f"{number} steps in {time.monotonic() - begun:.0f} s", flush=True)
        return number

    async def tend(self) -> None:
        """Start again what ended by itself, as whoever watches the processes does; until cancelled."""
        while True:
            await asyncio.sleep(1)
            async with self._tending:
                for name in SERVICES:
                    if self.system.running[name].poll() is not None:
                        self.told[f"ended {name}"] += 1
                        self.system.start(name)

    def kill(self, name: str) -> None:
        """kill -9, and started again at once."""
        self.told[f"killed {name}"] += 1
        if name == "broker":
            self.broker.kill()
            self.broker.server.start()
        else:
            self.system.kill(name)
            self.system.start(name)

    async def one(self, group: asyncio.TaskGroup, http: httpx.AsyncClient, wish: Wish) -> None:
        if wish.door == "reports":
            url, headers = (
                self.system.url("intake") + "/v1/reports",
                {"Idempotency-Key": f"walk-{wish.number}"},
            )
            answer = await self.answered(http, "POST", url, wish.body, headers, {202})
            group.create_task(self.decided(http, wish.about, answer.json()["ticket"]))
        elif wish.door == "matches":
            await self.match(http, wish)
        else:
            await self.step(http, wish)

    async def decided(self, http: httpx.AsyncClient, about: int, ticket: str) -> None:
        """Make the ticket known once its case is decided: before, nobody but the operator knows of it."""
        url = f"{self.system.url('routing')}/v1/operator/cases/{ticket}"
        while True:
            await asyncio.sleep(0.5)
            told = await self.answered(http, "GET", url, None, self._key("OPERATOR"), {200, 404})
            if told.status_code == 200 and told.json()["decision"]:
                return self.tickets[about].set_result(ticket)

    async def step(self, http: httpx.AsyncClient, wish: Wish) -> None:
        """What somebody says about a case, as soon as its ticket is known."""
        body = wish.body if wish.door == "moves" else {**wish.body, "on": now().date().isoformat()}
        root = "/v1/operator" if wish.by == "OPERATOR" else f"/v1/agencies/{wish.by}"
        url = f"{self.system.url('routing')}{root}/cases/{await self.tickets[wish.about]}/{wish.door}"
        await self.answered(http, "POST", url, body, self._key(wish.by), {200, 404, 409})

    async def match(self, http: httpx.AsyncClient, wish: Wish) -> None:
        """One of the near matches that wait is answered, if there is one."""
        url = f"{self.system.url('routing')}/v1/operator/matches"
        listed = await self.answered(http, "GET", url + "?limit=20", None, self._key("OPERATOR"), {200})
        if waiting := listed.json()["matches"]:
            one = f"{url}/{waiting[wish.about % len(waiting)]['match_id']}"
            await self.answered(http, "POST", one, wish.body, self._key("OPERATOR"), {200, 404, 409})

    def _key(self, holder: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[holder]}"}

    async def answered(
        self,
        http: httpx.AsyncClient,
        method: str,
        url: str,
        body: Any,
        headers: dict[str, str],
        good: set[int],
    ) -> httpx.Response:
        """The answer, asked for again while the service or its broker is away."""
        for _ in range(1200):
            try:
                answer = await http.request(method, url, json=body, headers=headers)
            except httpx.HTTPError:
                self.told["no answer"] += 1
                await asyncio.sleep(0.1)
                continue
            self.told[f"{_door(url)} {answer.status_code}"] += 1
            if answer.status_code in good:
                return answer
            if answer.status_code not in (429, 500, 503):
                raise AssertionError(f"{url}: {answer.status_code} {answer.text[:300]}")
            await asyncio.sleep(0.1)
        raise AssertionError(f"{url}: no answer in two minutes")

    async def findings(self, patience: float = 120) -> list[str]:
        """What the independent checker finds once the work under way has ended."""
        bus, folder = await Bus.connect(self.broker.settings, "operator"), self.broker.data_dir
        try:
            await until(lambda: _quiet(bus), patience)
            off = packaged(HERE)
            names = ("routing", "intake", "notifications", "deliveries")
            databases = Databases(*(f"sqlite+aiosqlite:///{folder}/{name}.db" for name in names))
            key = bytes.fromhex(self.broker.settings.secret("vault.key"))
            checker = Checker(bus, databases, {off.version: off}, vault_key=key)
            found = [str(finding) async for finding in checker.findings(now())]
            self.told.update({f"checked {name}": count for name, count in checker.counts._asdict().items()})
            return found
        finally:
            await bus.close()


def _door(url: str) -> str:
    return next(word for word in ("progress", "moves", "matches", "reports", "cases") if word in url)


async def _quiet(bus: Bus) -> bool:
    """Three times, as what the broker stored just now may not count as pending yet."""
    infos = [await bus.js.consumer_info(*durable) for _ in range(3) for durable in DURABLES]
    return not any(info.num_pending or info.num_ack_pending for info in infos)


async def main(steps: int, seed: int, kills: int, seconds: float, broker: Broker) -> int:
    walk = Walk(broker, seed)
    try:
        walked = await walk.walk(steps, kills, seconds)
        found = await walk.findings(600)
    finally:
        walk.system.stop()
    print("\n".join(f"{count:8} {what}" for what, count in sorted(walk.told.items())))
    print("\n".join(found) or f"nothing found after {walked} of {steps} steps (seed {seed})")
    return 1 if found else 0


if __name__ == "__main__":
    forget_installation()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, help="default: one in 500 steps")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop walking, and check, after so many"
    )
    parser.add_argument("--keep", type=Path, help="a folder to keep streams, databases and logs in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        server = Broker(given.keep or Path(place))
        server.start()
        try:
            deaths = given.kills if given.kills is not None else given.steps // 500
            code = asyncio.run(main(given.steps, given.seed, deaths, given.minutes * 60, server))
        finally:
            server.stop()
    sys.exit(code)
