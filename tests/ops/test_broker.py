"""What the ops page sees of a cluster of three real servers: each figure as its leader tells it, also when one is gone."""

import resource
from datetime import UTC, datetime
from pathlib import Path

import httpx
import nats
import pytest
from nats.errors import Error as NatsError
from nats.js.errors import NoStreamResponseError

from contracts.topology import CONSUMERS
from services.ops.broker import BrokerFigures
from services.runtime.bus import Bus
from services.runtime.connecting import connection
from tests.conftest import Broker
from tests.deploy.cluster import Cluster
from tests.running import until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
REPORTS = 40
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


async def test_what_waits_is_seen_whichever_server_leads(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    await cluster.start()
    try:
        await _filled(cluster)
        addresses = [f"http://127.0.0.1:{server.monitor_port}" for server in cluster.servers.values()]
        async with httpx.AsyncClient(timeout=60) as http:
            wanted = [
                c.name for c in CONSUMERS if c.stream == "REPORTS" and "reports.*.accepted" in c.filters
            ]
            assert wanted

            async def all_wait() -> BrokerFigures | None:
                seen = await BrokerFigures.read(http, addresses, NOW)
                waits = {d.name: d.pending for d in seen.durables if d.stream == "REPORTS"}
                return seen if all(waits.get(name) == REPORTS for name in wanted) else None

            seen = await until(all_wait)
            assert (len(seen.servers), seen.away) == (3, ())
            assert len({d.name for d in seen.durables}) == len(seen.durables)
            leader = await cluster.leader("REPORTS")
            follower = next(name for name in cluster.servers if name != leader)
            cluster.kill(follower)
            less = await BrokerFigures.read(http, addresses, NOW)
            assert len(less.servers) == 2
            (away,) = less.away
            assert str(cluster.servers[follower].monitor_port) in away
            assert {s.name: s.messages for s in less.streams}["REPORTS"] == REPORTS
    finally:
        cluster.stop()


async def _filled(cluster: Cluster) -> None:
    """A stream that was made just now may have no leader yet."""
    nc = await nats.connect(**connection(cluster.settings, "operator"))

    async def stored() -> bool:
        try:
            await nc.jetstream().publish("reports.r0.accepted", b"{}", headers={"Nats-Msg-Id": "r0"})
        except NoStreamResponseError:
            return False
        return True

    await until(stored)
    for number in range(1, REPORTS):
        await nc.jetstream().publish(f"reports.r{number}.accepted", b"{}")
    await nc.close()


async def test_a_broker_that_could_not_write_once_says_so_until_it_is_restarted(fresh_nats: Broker) -> None:
    async def overfill(bus: Bus) -> None:
        for n in range(400):
            await bus.js.publish(f"timer.x{n}.p1.BKN.2026-11-24.OVERDUE", bytes(2000))

    async def complaints() -> tuple[str, ...]:
        async with httpx.AsyncClient(timeout=60) as http:
            address = f"http://127.0.0.1:{fresh_nats.monitor_port}"
            return (await BrokerFigures.read(http, [address], NOW)).ill

    assert fresh_nats.server.process
    pid = fresh_nats.server.process.pid
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    bus = await Bus.connect(fresh_nats.settings, "operator")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
    with pytest.raises(NatsError):
        await overfill(bus)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    await bus.close()
    [complaint] = await complaints()
    assert "TIMERS" in complaint
    assert "write error" in complaint
    fresh_nats.stop()
    fresh_nats.server.start()
    assert await complaints() == ()
