"""The service's parts around a temporary ledger, a real SMTP server and a clock that stands until it is moved."""

from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest

from services.notifications.bounce_door import BounceDoor
from services.notifications.casefile import Casefiles
from services.notifications.core.matrix import matrix as load_matrix
from services.notifications.handlers import Handlers
from services.notifications.opening import open_ledger
from services.notifications.postman import Postman
from services.notifications.recording import SETTLE
from services.notifications.reply_addresses import Addresses
from services.notifications.scribe import Scribe
from services.notifications.sender import Sender
from services.notifications.settings import NotificationsSettings
from services.notifications.teller import Teller
from services.runtime.messaging import BrokerAway
from tests.notifications.offices import a_directory
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
        self.events, self.stored, self.away = {}, {}, False

    async def tell(self, events):
        if self.away:
            raise BrokerAway(ambiguous=True)
        for event in events:
            self.events.setdefault(event.nats_subject, event)

    async def read(self, nats_subject):
        if self.away:
            raise BrokerAway(ambiguous=False)
        event = self.events.get(nats_subject) or self.stored.get(nats_subject)
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
def ledger_url():
    """None is SQLite in the folder of the test; a file whose promises hold on both databases says so itself."""
    return


@pytest.fixture
def patience():
    """Seconds to wait for an answer of the mail server: enough for a machine with much to do."""
    return 10


@pytest.fixture
def settings(tmp_path, server, ledger_url, patience):
    return NotificationsSettings(
        data_dir=tmp_path, smtp_port=server.port, smtp_timeout=patience, ledger_url=ledger_url
    )


@pytest.fixture
def desk(settings, clock, bus, intake):
    """Builds the parts; twice over one folder is a restart."""
    return lambda given=settings, **options: _desk(given, clock, bus, intake, **options)


KEY = b"a key"


def _desk(settings, clock, bus, intake, telemetry=None, directory=None):
    matrix, directory = load_matrix(), directory or a_directory()
    ledger = open_ledger(settings, KEY, directory, matrix)
    postman = Postman(settings)
    http = httpx.AsyncClient(base_url="http://intake", transport=httpx.MockTransport(intake))
    scribe = Scribe(ledger, Addresses(directory, http), settings, matrix, KEY)
    sender = Sender(ledger, postman, scribe, settings, clock, matrix, telemetry)
    handlers = Handlers(ledger, clock, sender.due, Casefiles(matrix, bus), matrix, directory)
    parts = SimpleNamespace(
        ledger=ledger,
        sender=sender,
        handlers=handlers,
        teller=Teller(ledger, bus, sender.ended),
        bounces=BounceDoor(ledger, clock, settings.bounces_to, KEY, sender.ended),
        matrix=matrix,
    )

    async def hear(*events):
        """The broker stores events together before anybody hears of one."""
        for event in events:
            bus.stored.setdefault(event.nats_subject, event)
        for event in events:
            body = event.model_dump_json(by_alias=True).encode()
            kind = type(event).__name__.removeprefix("Report").removeprefix("Case").lower()
            handler = {
                "accepted": handlers.received,
                "decided": handlers.decided,
                "linked": handlers.linked,
                "offered": handlers.offered,
                "stepped": handlers.stepped,
                "due": handlers.due,
                "webhookalarm": handlers.webhook,
            }[kind]
            await handler(SimpleNamespace(body=body))

    def know(story):
        """What the broker holds of a story although nobody heard of it here."""
        bus.stored |= {event.nats_subject: event for event in (story.accepted, story.decided)}

    async def settle():
        """Send everything that is due once the duties have settled, in the order of each thread."""
        clock.move(seconds=SETTLE.total_seconds())
        sent = 0
        while more := await sender.send_due():
            sent += more
        return sent

    async def close():
        await postman.close()
        await http.aclose()
        await ledger.close()

    parts.hear, parts.know, parts.settle, parts.close = hear, know, settle, close
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

        async with office.ledger.engine.connect() as connection:
            found = (await connection.execute(select(notices))).mappings().all()
        return {(row["step"], row["agency"]): row for row in found}

    return read
