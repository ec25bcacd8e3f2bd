"""A real nats-server with our accounts, permissions and streams, and the two databases we run on."""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nats as nats_client
import pytest
import uvloop

from deploy.local.nats_server import NatsServer
from deploy.local.secrets import ensure, write_private
from deploy.streams import provision
from services.runtime.connecting import connection
from services.runtime.serving import CANNOT_GO_ON
from services.runtime.settings import Settings
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.shell import forget_installation

THOROUGH = (
    "tests/cli",
    "tests/notifications/test_",
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


LONG = (
    "test_a_short_storm",
    "test_every_mail_comes_through",
    "test_a_release_replaces",
    "test_killing_every_process",
    "test_death_at_every_use",
    "test_leader_worker_and_database_die",
    "test_nearly_every_wrong_rulebook",
    "test_after_a_walk_with_deaths",
    "test_a_killed_worker_loses_no_delivery",
    "test_a_backup_under_load",
)
"""The longest first: one that starts last keeps a core waiting for it alone."""
STORE = Path("nats") / "jetstream"
"""Of a server, in its data folder."""


def pytest_configure() -> None:
    """No test finds the installation of the shell it is started in, nor ends its worker.

    A service in this process that cannot go on says so in the log: the test fails by it, and not the whole worker.
    """
    forget_installation()
    signal.signal(CANNOT_GO_ON, lambda *_: None)
    gc.set_threshold(20_000, 10, 10)


def pytest_collection_finish() -> None:
    """As the services do: thousands of tests stay until the end, and are not searched for garbage (ADR 0094)."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is too slow for `make check`, and give every worker of a run its share of the longest tests first."""
    for item in items:
        if any(part in f"{item.path.as_posix()}::{item.name}" for part in THOROUGH):
            item.add_marker("thorough")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    longest = [item for item in items if item.name.startswith(LONG)]
    rest = [item for item in items if not item.name.startswith(LONG)]
    share = -(-len(rest) // workers)
    shares = ((longest[n::workers], rest[n * share : (n + 1) * share]) for n in range(workers))
    items[:] = [item for first, then in shares for item in (*first, *then)]


@dataclass
class Broker:
    """A server on free ports over a folder of its own; it keeps both over stop and start."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    monitor_port: int = field(default_factory=free_port)
    cases_url: str | None = None
    """The database of the case views; None is SQLite in the folder."""
    sync: str = "always"
    """When the server syncs to the disk."""

    def __post_init__(self) -> None:
        ensure(self.data_dir)
        self.server = NatsServer(self.data_dir, self.port, self.monitor_port, sync=self.sync)
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

    def take_password(self, user: str, password: str | None = None) -> None:
        """Have the running server take this password of a user; None is the right one. Others end its connections."""
        config, right = self.server.config(), self.settings.secret(f"nats-{user}")
        write_private(self.data_dir / "nats" / "nats.conf", config.replace(right, password or right))
        if self.server.process:
            self.server.process.send_signal(signal.SIGHUP)

    async def _provision(self) -> None:
        nc = await nats_client.connect(**connection(self.settings, "operator"))
        await provision(nc.jetstream(timeout=60))
        await nc.close()


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The streams and durables of a system in which nothing has happened, as a server left them when it was told to end."""
    broker = Broker(tmp_path_factory.mktemp("provisioned"))
    broker.start()
    broker.stop()
    return broker.data_dir / STORE


@pytest.fixture
def fresh_nats(tmp_path: Path, provisioned: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker")
    # To provision takes twice the start. Its notes of empty streams are left out: a damaged block is read by them wrongly.
    noted = shutil.ignore_patterns("index.db")
    shutil.copytree(provisioned, broker.data_dir / STORE, ignore=noted)
    broker.server.start()
    yield broker
    broker.kill()  # a farewell takes it a quarter of a second


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=("sqlite", "postgresql"))
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind; PostgreSQL is started by the first test that needs it."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    yield (address := server.new_database())
    server.drop(address)
