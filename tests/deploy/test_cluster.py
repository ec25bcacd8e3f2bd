"""Two workers of each service over three brokers and PostgreSQL: the leader, a worker and the database die under load."""

import asyncio
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from nats.errors import Error as NatsError

from services.runtime.bus import Bus
from tests.builders import a_report
from tests.deploy.cluster import Cluster
from tests.flow.test_kill import subjects
from tests.postgres import PostgresServer
from tests.running import Processes, until
from tests.standing import standing_still

pytestmark = [pytest.mark.broker, pytest.mark.thorough, pytest.mark.timeout(300)]
REPORTS = 60


async def send(http: httpx.AsyncClient, doors: list[str], number: int, accepted: dict[int, float]) -> str:
    """One report, sent with the same key to the next door until it is accepted."""
    body, turn = a_report(person__name=f"Orang {number}"), number
    while True:
        try:
            headers = {"Idempotency-Key": f"cluster-{number}"}
            answer = await http.post(f"{doors[turn % 2]}/v1/reports", json=body, headers=headers)
            if answer.status_code == 202:
                accepted[number] = time.monotonic()
                return str(answer.json()["ticket"])
        except httpx.HTTPError:
            pass
        turn += 1
        await asyncio.sleep(0.2)


async def test_leader_worker_and_database_die_and_nothing_is_lost_or_doubled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster, database = Cluster(tmp_path), PostgresServer()
    database.start()
    try:
        await cluster.start()
        workers = [Processes(cluster), Processes(cluster)]
        workers[1].ports["smtp"] = workers[0].ports["smtp"]
        urls = {f"NETRAL_{name}_URL": database.new_database() for name in ("VAULT", "CASES", "LEDGER")}
        for worker in workers:
            worker.extra |= {**urls, "NETRAL_NATS_REPLICAS": "3", "NETRAL_MAIL_BURST": "0"}
        try:
            pauses = await under_load(cluster, workers, database)
            with capsys.disabled():
                print(f" longest pause at the doors: {max(pauses):.1f} s", end="")
            cases = await until(lambda: _held(cluster, "CASES"))
            assert set(cases.values()) == {1}
            kinds = Counter(subject.split(".")[2] for subject in cases)
            assert kinds["decided"] == kinds["reports"] == REPORTS
            per_case = Counter(s.split(".")[1] for s in cases if ".offered." in s)
            assert len(set(per_case.values())) == 1
            notices = await until(lambda: _held(cluster, "NOTICES"))
            assert set(notices.values()) == {1}
        finally:
            for worker in workers:
                worker.stop()
    finally:
        cluster.stop()
        database.stop()


async def test_a_broker_that_stands_still_is_left_for_another_one_and_no_longer_asked(tmp_path: Path) -> None:
    """Also one whose machine vanished: its connections stay open, and say nothing."""
    cluster = Cluster(tmp_path)
    try:
        await cluster.start()
        bus = await Bus.connect(cluster.settings, "operator")
        (still,) = [s for s in cluster.servers.values() if bus.nc.connected_url.port == s.port]
        with standing_still(still.process):
            # The default of nats-py is five minutes, of nats-server one and a half.
            async with asyncio.timeout(45):
                await until(lambda: _left(bus, still.port), 60)
                await until(lambda: _all_answered(bus), 60)
        await bus.close()
    finally:
        cluster.stop()


async def _left(bus: Bus, port: int) -> bool:
    return bus.nc.is_connected and bus.nc.connected_url.port != port


async def _all_answered(bus: Bus) -> bool:
    """Any copy of a stream answers a question; none of them goes to the one that stands still."""
    asked = (asyncio.wait_for(bus.stored(f"reports.{number}.accepted"), 1) for number in range(20))
    return not any(await asyncio.gather(*asked, return_exceptions=True))


async def under_load(cluster: Cluster, workers: list[Processes], database: PostgresServer) -> list[float]:
    """Send all reports while things die; the gaps between two acceptances in seconds."""
    workers[0].start("smtp")
    for worker in workers:
        for name in ("intake", "routing", "notifications"):
            worker.start(name)
    for worker in workers:
        for name in ("intake", "routing", "notifications"):
            await worker.ready(name)
    accepted: dict[int, float] = {}
    doors = [worker.url("intake") for worker in workers]
    async with httpx.AsyncClient(timeout=10) as http:
        gate = asyncio.Semaphore(8)

        async def one(number: int) -> str:
            async with gate:
                return await send(http, doors, number, accepted)

        sending = [asyncio.create_task(one(number)) for number in range(REPORTS)]
        await until(lambda: _reached(accepted, REPORTS // 5))
        leader = await cluster.leader("REPORTS")
        cluster.kill(leader)
        await until(lambda: _reached(accepted, 2 * REPORTS // 5), 60)
        cluster.servers[leader].start()
        workers[0].kill("routing")
        workers[1].kill("intake")
        await until(lambda: _reached(accepted, 3 * REPORTS // 5), 60)
        database.crash()
        workers[0].start("routing")
        workers[1].start("intake")
        tickets = await asyncio.wait_for(asyncio.gather(*sending), 120)
    assert len(set(tickets)) == REPORTS
    await until(lambda: _all_told(cluster), 120)
    times = sorted(accepted.values())
    return [later - earlier for earlier, later in pairwise(times)]


async def _reached(accepted: dict[int, float], goal: int) -> bool:
    return len(accepted) >= goal


async def _held(cluster: Cluster, stream: str) -> Counter[str]:
    """Nothing while nobody answers: a stream whose leader died is silent until another is elected."""
    try:
        return await subjects(cluster, stream)  # type: ignore[arg-type]
    except (NatsError, KeyError):  # no answer in time, or one that tells of an error
        return Counter()


async def _all_told(cluster: Cluster) -> bool:
    cases, notices = await _held(cluster, "CASES"), await _held(cluster, "NOTICES")
    decided = sum(subject.endswith(".decided") for subject in cases)
    offered = sum(".offered." in subject for subject in cases)
    return decided == REPORTS and len(notices) >= offered
