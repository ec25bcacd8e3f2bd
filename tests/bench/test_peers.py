"""The peers do the work they are measured by."""

from pathlib import Path

import pytest

from tests.bench.doors import STORED_BY_THE_USUAL
from tests.bench.peers import NODE_RED, REDIS, STREAMS, Peers

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not REDIS, reason="redis-server is not installed (Debian: redis-server)"),
]
_NODE_RED = pytest.mark.skipif(not NODE_RED, reason="Node-RED is not found on PATH or by NETRAL_NODE_RED")


@pytest.mark.parametrize("peer", ["Celery", pytest.param("Node-RED", marks=_NODE_RED)])
async def test_one_report_in_is_six_messages_stored_and_every_process_ends(peer: str, tmp_path: Path) -> None:
    peers = Peers(tmp_path)
    try:
        await peers.start()
        assert peers.redis.config_get("appendfsync") == {"appendfsync": "always"}
        await peers.road(peers.doors[peer], "one", 1)
        assert len(STREAMS) == STORED_BY_THE_USUAL
        assert {name: peers.redis.xlen(name) for name in STREAMS} == dict.fromkeys(STREAMS, 1)
    finally:
        peers.stop()
    assert all(process.poll() is not None for process in peers.running)
