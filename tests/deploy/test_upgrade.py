"""Releases are replaced worker by worker, and back, while reports come in: old and new share one broker and databases."""

import asyncio
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.builders import a_report
from tests.conftest import Broker
from tests.deploy.releases import netral, previous_release
from tests.flow.test_kill import subjects
from tests.postgres import PostgresServer
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.thorough, pytest.mark.timeout(600)]
SERVICES = ("routing", "notifications", "intake")
AT_ONCE, PAUSE = 3, 0.3
BETWEEN = 6
"""Reports that are sent while one worker is replaced."""


@dataclass
class Load:
    """People who send one report after another, as many as are let; each repeats a report until it is accepted."""

    doors: list[str]
    tickets: dict[int, str] = field(default_factory=dict)
    begun: int = 0
    goal: int = 0
    stopping: bool = False

    async def run(self, http: httpx.AsyncClient) -> None:
        await asyncio.gather(*(self._person(http) for _ in range(AT_ONCE)))

    def go_on(self) -> None:
        self.goal += BETWEEN

    async def all_accepted(self) -> bool:
        return len(self.tickets) == self.goal

    async def _person(self, http: httpx.AsyncClient) -> None:
        while not self.stopping:
            if self.begun < self.goal:
                self.begun = number = self.begun + 1
                self.tickets[number] = await self._send(http, number)
            await asyncio.sleep(PAUSE)

    async def _send(self, http: httpx.AsyncClient, number: int) -> str:
        body, turn = a_report(person__name=f"Orang {number}"), number
        headers = {"Idempotency-Key": f"upgrade-{number}"}
        while True:
            try:
                answer = await http.post(f"{self.doors[turn % 2]}/v1/reports", json=body, headers=headers)
                if answer.status_code == 202:
                    return str(answer.json()["ticket"])
            except httpx.HTTPError:
                pass
            turn += 1
            await asyncio.sleep(0.1)


async def test_a_release_replaces_the_previous_one_under_load_and_is_replaced_by_it(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    old = previous_release(tmp_path / "previous")
    broker = Broker(tmp_path / "data")
    broker.server.start()
    workers = [Processes(broker, code=old), Processes(broker, code=old)]
    workers[1].ports["smtp"] = workers[0].ports["smtp"]
    urls = {f"NETRAL_{name}_URL": postgres.new_database() for name in ("VAULT", "CASES", "LEDGER")}
    for worker in workers:
        worker.extra |= {**urls, "NETRAL_MAIL_BURST": "0"}
    try:
        provisioned(old, broker, workers[0])
        for worker in workers:
            for name in ("smtp", *SERVICES) if worker is workers[0] else SERVICES:
                worker.start(name)
        for worker in workers:
            for name in SERVICES:
                await worker.ready(name)
        load = Load([worker.url("intake") for worker in workers])
        async with httpx.AsyncClient(timeout=10) as http:
            sending = asyncio.create_task(load.run(http))
            provisioned(None, broker, workers[0])
            await replaced(workers, None, load)
            provisioned(old, broker, workers[0])
            await replaced(workers[:1], old, load)
            load.stopping = True
            await sending
        await nothing_is_lost_or_doubled(broker, load)
        found = netral(["verify"], None, workers[0].env())
        assert found.returncode == 0, found.stdout + found.stderr
        assert "Traceback" not in workers[0].logs()
    finally:
        for name in SERVICES:
            workers[0].kill(
                name
            )  # the release before may stand still when it is told to stop while the broker goes
        for worker in workers:
            worker.stop()
        broker.stop()


async def replaced(workers: list[Processes], code: Path | None, load: Load) -> None:
    """Each worker is told to stop, and begins again with other code, while the other goes on as it is."""
    for name in SERVICES:
        for worker in workers:
            load.go_on()
            running = worker.running[name]
            running.terminate()
            assert await asyncio.to_thread(running.wait, 60) == 0, name
            worker.code = code
            worker.start(name)
            await worker.ready(name)
            await until(load.all_accepted)


def provisioned(code: Path | None, broker: Broker, worker: Processes) -> None:
    """As docs/operations.md has it: the broker's configuration, then its streams and durables."""
    listen, monitor = (f"127.0.0.1:{port}" for port in (broker.port, broker.monitor_port))
    done = netral(["broker-config", "--listen", listen, "--monitor", monitor], code, worker.env())
    assert done.returncode == 0, done.stdout + done.stderr
    assert broker.server.process
    broker.server.process.send_signal(signal.SIGHUP)
    done = netral(["provision"], code, worker.env())
    assert done.returncode == 0, done.stdout + done.stderr


async def nothing_is_lost_or_doubled(broker: Broker, load: Load) -> None:
    sent = len(load.tickets)
    assert len(set(load.tickets.values())) == sent

    async def all_told() -> bool:
        notices = await subjects(broker, "NOTICES")
        return len(notices) >= 5 * sent  # to each of four offices, and about the limit that passed long ago

    await until(all_told, 120)
    for stream in ("REPORTS", "CASES", "TOLD", "NOTICES"):
        assert set((await subjects(broker, stream)).values()) == {1}, stream
    kinds = Counter(subject.split(".")[2] for subject in await subjects(broker, "CASES"))
    assert kinds["decided"] == kinds["reports"] == sent
    assert kinds["offered"] == 4 * sent
