"""The peers do the work they are measured by."""

from pathlib import Path
from typing import Any

import pytest
from nats.js.api import StreamConfig

from services.runtime.bus import Bus
from services.runtime.reading import page_of
from tests.bench import doors, ours
from tests.bench.peers import NODE_RED, REDIS, SEALING, STREAMS, Peers
from tests.bench.usual import STORED_BY_THE_USUAL
from tests.bench.usual_keeping import KIND, STORED_BY_THE_KEEPING
from tests.conftest import Broker
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.running import until

pytestmark = pytest.mark.thorough
_REDIS = pytest.mark.skipif(not REDIS, reason="redis-server is not installed (Debian: redis-server)")
_NODE_RED = pytest.mark.skipif(not NODE_RED, reason="Node-RED is not found on PATH or by NETRAL_NODE_RED")
RUN = "Somebody"
"""Becomes part of the reported person's name."""


@_REDIS
@pytest.mark.parametrize("peer", ["Celery", pytest.param("Node-RED", marks=_NODE_RED)])
async def test_one_report_in_is_six_messages_stored_and_every_process_ends(
    peer: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    peers = Peers(tmp_path, postgres.new_database())
    try:
        await peers.start()
        assert peers.redis.config_get("appendfsync") == {"appendfsync": "always"}
        assert len(STREAMS) == STORED_BY_THE_USUAL
        for number, name in enumerate((peer, SEALING + peer), 1):
            await peers.road(peers.doors[name], RUN, 1)
            assert {name: peers.redis.xlen(name) for name in STREAMS} == dict.fromkeys(STREAMS, number)
        whole, sealed = _bodies(peers)
        assert RUN in whole
        assert RUN not in sealed
    finally:
        peers.stop()
    assert all(process.poll() is not None for process in peers.running)


def _bodies(peers: Peers) -> list[str]:
    entries: Any = peers.redis.xrange("report")
    return [fields[b"body"].decode() for _, fields in entries]


@pytest.mark.parametrize(
    ("kind", "stored"),
    [("usual", STORED_BY_THE_USUAL), ("sealing", STORED_BY_THE_USUAL), (KIND, STORED_BY_THE_KEEPING)],
)
async def test_the_usual_pipeline_stores_so_many_messages_and_with_a_vault_no_names(
    kind: str, stored: int, fresh_nats: Broker, postgres: PostgresServer
) -> None:
    bus, port, stream = await Bus.connect(fresh_nats.settings, "operator"), free_port(), kind.upper()
    await bus.js.add_stream(StreamConfig(name=stream, subjects=[f"{kind}.>"], allow_direct=True))
    worker = doors.opened(kind, 0, fresh_nats.settings, postgres.new_database())
    door = doors.opened(kind, port, fresh_nats.settings, postgres.new_database())
    try:
        url = f"http://127.0.0.1:{port}"
        await until(lambda: ours.answers(url))
        await ours.door(url, RUN, 1)
        await ours.reached(bus.js, {stream: stored})
        told = [message.body.decode() for message in await page_of(bus, stream, 1)]
    finally:
        for process in (door, worker):
            process.terminate()
            process.wait()
        await bus.close()
    assert len(told) == stored
    assert any(RUN in body for body in told) == (kind == "usual")
