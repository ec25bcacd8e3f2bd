"""A real nats-server with our accounts, permissions and streams."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nats as nats_client
import pytest
import uvloop

from deploy.local.nats_server import NatsServer
from deploy.local.secrets import ensure
from deploy.streams import provision
from services.runtime.bus import connection
from services.runtime.settings import Settings
from tests.ports import free_port

THOROUGH = ("tests/cli", "tests/notifications", "tests/routing/rules")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is too slow for `make check`."""
    for item in items:
        if any(folder in item.path.as_posix() for folder in THOROUGH):
            item.add_marker("thorough")


@dataclass
class Broker:
    """A server on free ports over a folder of its own; it keeps both over stop and start."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    monitor_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        ensure(self.data_dir)
        self.server = NatsServer(self.data_dir, self.port, self.monitor_port)
        self.settings = Settings(data_dir=self.data_dir, nats_url=f"nats://127.0.0.1:{self.port}")

    def start(self) -> None:
        self.server.start()
        uvloop.run(self._provision())

    def stop(self) -> None:
        self.server.stop()

    def kill(self) -> None:
        if self.server.process:
            self.server.process.kill()
            self.server.process.wait()

    async def _provision(self) -> None:
        nc = await nats_client.connect(**connection(self.settings, "operator"))
        await provision(nc.jetstream())
        await nc.close()


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def fresh_nats(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()
