"""A real nats-server with our accounts and streams: one for the session, or one for a single test."""

import asyncio
import os
import time
from contextlib import contextmanager

import nats as nats_client
import pytest

from deploy.local import children, secrets
from deploy.local.nats_server import NatsServer
from deploy.streams import provision
from services.runtime.bus import connection
from services.runtime.settings import Settings
from tests.ports import free_port


class RunningNats:
    """`settings` point at it; `kill()` is SIGKILL; after `stop()` or `kill()`, `start()` continues with its data."""

    def __init__(self, data_dir):
        self.data_dir = data_dir
        self.port = free_port()
        self.settings = Settings(data_dir=data_dir, nats_url=f"nats://127.0.0.1:{self.port}")
        secrets.ensure(data_dir)
        self._child = NatsServer(data_dir, self.port, free_port()).prepare()
        self._process = None

    def start(self):
        self._process = children.start(self._child, self.data_dir / "nats.log", os.environ)
        give_up = time.monotonic() + 10
        while not children.is_ready(self._child.ready_url):
            assert self._process.poll() is None, (self.data_dir / "nats.log").read_text()
            assert time.monotonic() < give_up
            time.sleep(0.005)

    def stop(self):
        children.stop(self._process, 10)

    def kill(self):
        children.kill(self._process)

    async def connect(self, user="operator", **options):
        return await nats_client.connect(**{**connection(self.settings, user), **options})


@contextmanager
def _running(data_dir):
    server = RunningNats(data_dir)
    server.start()
    try:
        asyncio.run(_provision(server))
        yield server
    finally:
        server.stop()


async def _provision(server):
    nc = await server.connect()
    assert await provision(nc.jetstream(), replicas=1) == []
    await nc.close()


@pytest.fixture(scope="session")
def nats(tmp_path_factory):
    with _running(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def fresh_nats(tmp_path):
    with _running(tmp_path / "data") as server:
        yield server
