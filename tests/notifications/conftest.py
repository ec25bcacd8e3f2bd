"""The service's parts around a temporary ledger, a real SMTP server and a clock that stands until it is moved."""

from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest

from services.notifications.directory import Directory
from services.notifications.handlers import Handlers
from services.notifications.ledger import SETTLE, Ledger
from services.notifications.postman import Postman
from services.notifications.reply_addresses import Addresses
from services.notifications.sender import Sender
from services.notifications.settings import NotificationsSettings
from services.notifications.teller import Teller
from services.runtime.database import open_engine
from services.runtime.messaging import BrokerAway
from tests.notifications.smtp_server import Server
from tests.notifications.story import NOON
from tests.ports import free_port


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def move(self, **by):
        self.now += timedelta(**by)


class RecordingBus:
    """Stores each subject once, as the broker does; `away` makes it refuse."""

    def __init__(self):
        self.events, self.away = {}, False

    async def tell(self, events):
        if self.away:
            raise BrokerAway(ambiguous=True)
        for event in events:
            self.events.setdefault(event.nats_subject, event)

    async def read(self, nats_subject):
        if self.away:
            raise BrokerAway(ambiguous=False)
        event = self.events.get(nats_subject)
        return event.model_dump_json(by_alias=True).encode() if event else None


class Intake:
    """Intake's inner door: `answer` is what it says about every report."""

    def __init__(self):
        self.answer = httpx.Response(200, json={"email": "warga@contoh.example"})
        self.asked = []

    def __call__(self, request):
        self.asked.append(request.url.path)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bus():
    return RecordingBus()


@pytest.fixture
def intake():
    return Intake()


@pytest.fixture
async def server():
    started = Server(free_port())
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
def settings(tmp_path, server):
    return NotificationsSettings(data_dir=tmp_path, smtp_port=server.port, smtp_timeout=0.5)


@pytest.fixture
def desk(settings, clock, bus, intake):
    """Builds the parts; twice over one folder is a restart."""
    return lambda **options: _desk(settings, clock, bus, intake, **options)


def _desk(settings, clock, bus, intake, telemetry=None):
    ledger = Ledger(open_engine(settings.ledger_address), b"a key", settings.mail_domain)
    postman = Postman(settings)
    http = httpx.AsyncClient(base_url="http://intake", transport=httpx.MockTransport(intake))
    sender = Sender(ledger, postman, Addresses(Directory(), http), settings, clock, telemetry)
    handlers = Handlers(ledger, clock, sender.due, bus)
    parts = SimpleNamespace(
        ledger=ledger, sender=sender, handlers=handlers, teller=Teller(ledger, bus, sender.ended)
    )

    async def hear(*events):
        for event in events:
            body = event.model_dump_json(by_alias=True).encode()
            kind = type(event).__name__.removeprefix("Report").removeprefix("Case").lower()
            handler = {
                "accepted": handlers.received,
                "decided": handlers.decided,
                "linked": handlers.linked,
                "offered": handlers.offered,
            }[kind]
            await handler(SimpleNamespace(body=body))

    async def settle():
        """Send everything that is due once the duties have settled."""
        clock.move(seconds=SETTLE.total_seconds())
        return await sender.send_due()

    async def close():
        await postman.close()
        await http.aclose()
        await ledger.close()

    parts.hear, parts.settle, parts.close = hear, settle, close
    return parts


@pytest.fixture
async def office(desk):
    parts = desk()
    await parts.ledger.start()
    yield parts
    await parts.close()


@pytest.fixture
def rows(office):
    """The ledger's rows, by step and agency."""

    async def read():
        from sqlalchemy import select

        from services.notifications.ledger_tables import notices

        async with office.ledger._engine.connect() as connection:
            found = (await connection.execute(select(notices))).mappings().all()
        return {(row["step"], row["agency"]): row for row in found}

    return read
