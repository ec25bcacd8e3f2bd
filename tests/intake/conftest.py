"""A door with its vault in a temporary folder, and a bus that records what it is told."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest
from nats.js.errors import NotFoundError

from contracts.events import ReportAccepted
from services.intake.app import build_app
from services.intake.settings import IntakeSettings
from services.runtime.messaging import BrokerAway
from tests.intake.waiting import eventually


class RecordingBus:
    """Stores each subject once, as the broker does; `away` is None, "clean" or "ambiguous"."""

    def __init__(self):
        self.events = {}
        self.told = 0
        self.away = None
        self.keeps_while_away = False
        self.behind = False

    async def tell_written(self, nats_subject, body):
        event = ReportAccepted.model_validate_json(body)
        assert event.nats_subject == nats_subject
        await self.tell([event])

    async def tell(self, events):
        if self.away != "clean" and (self.away is None or self.keeps_while_away):
            for event in events:
                self.events.setdefault(event.nats_subject, event)
        if self.away:
            raise BrokerAway(ambiguous=self.away == "ambiguous")
        self.told += len(events)

    async def stored(self, nats_subject):
        if self.away:
            raise BrokerAway(ambiguous=False)
        return nats_subject in self.events and not self.behind

    @property
    def js(self):
        return self

    async def get_last_msg(self, _stream, nats_subject):
        """As the leader of the stream, which is never behind."""
        if self.away or nats_subject not in self.events:
            raise NotFoundError
        return SimpleNamespace(data=self.events[nats_subject].model_dump_json(by_alias=True).encode())

    async def last(self, stream, filter_):
        return None


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 11, 24, 3, 0, 0, 123456, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data"
    (folder / "secrets").mkdir(parents=True)
    for name, secret in {
        "vault.key": "1f" * 32,
        "door.key": "2e" * 32,
        "service-token": "a-service-token",
    }.items():
        (folder / "secrets" / name).write_text(secret + "\n")
    return folder


@pytest.fixture
def vault_url(database_url):
    return database_url


@pytest.fixture
def settings(data_dir, vault_url):
    return IntakeSettings(data_dir=data_dir, vault_url=vault_url)


@pytest.fixture
def bus():
    return RecordingBus()


@pytest.fixture
def clock():
    return Clock()


@asynccontextmanager
async def running(settings, clock, bus=None, *, until=None, traffic=None):
    """A running door; `.http` talks to it. Without a bus it connects to the broker of the settings."""
    app = build_app(settings, clock=clock, bus=bus, traffic=traffic)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://door") as http,
    ):
        awaited = until or ("vault" if bus else "reasons")
        await eventually(lambda: lacks(http, awaited))
        yield SimpleNamespace(http=http, app=app, bus=bus, clock=clock, settings=settings)


async def lacks(http, reason):
    return reason not in (await http.get("/readyz")).text


@pytest.fixture
async def door(settings, clock, bus):
    async with running(settings, clock, bus) as started:
        yield started


@pytest.fixture
def open_door():
    """Opens a door by hand, for tests that close and open it again."""
    return running


@pytest.fixture
def with_broker(fresh_nats, vault_url):
    """The settings of a door that has a real nats-server, with our accounts and permissions."""
    return IntakeSettings(
        data_dir=fresh_nats.data_dir, vault_url=vault_url, nats_url=fresh_nats.settings.nats_url
    )
