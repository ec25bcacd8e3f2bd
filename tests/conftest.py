"""A real nats-server with our accounts, permissions and streams, and the two databases we run on."""

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
from tests.postgres import PostgresServer

THOROUGH = (
    "tests/cli",
    "tests/notifications",
    "tests/routing/rules",
    "tests/routing/delivery",
    "tests/deploy/test_manifests.py",
    "tests/deploy/test_observing.py",
    "[postgresql",
    "test_a_casebook_that_refuses_nothing_is_found_out",
    "test_a_burst_of_near_copies",
    "test_a_process_stops_although_the_collector_is_away",
    "test_a_missing_secret_is_one_line",
    "test_every_question_is_answered_as_a_plain_count_would",
    "test_many_workers",
    "test_the_model_is_the_same",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is too slow for `make check`."""
    for item in items:
        if any(part in f"{item.path.as_posix()}::{item.name}" for part in THOROUGH):
            item.add_marker("thorough")


@dataclass
class Broker:
    """A server on free ports over a folder of its own; it keeps both over stop and start."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    monitor_port: int = field(default_factory=free_port)
    cases_url: str | None = None
    """The database of the case views; None is SQLite in the folder."""

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
    broker.kill()  # a farewell takes it a quarter of a second


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=("sqlite", "postgresql"))
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind; PostgreSQL is started by the first test that needs it."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()
