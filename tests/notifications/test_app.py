"""The whole service over a real broker and a real mail server; also killed in the middle of the work."""

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.streams import provision
from services.notifications.app import build_app
from services.notifications.settings import NotificationsSettings
from services.runtime.messaging import Bus
from tests.forked import Forked
from tests.notifications.offices import told as offices
from tests.notifications.story import a_story
from tests.ports import free_port

pytestmark = pytest.mark.broker


async def until(fact, patience=30):
    for _ in range(patience * 20):
        if answer := await fact():
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited {patience} s in vain")


@asynccontextmanager
async def telling(broker):
    """Says events as the services would that own them."""
    buses = {user: await Bus.connect(broker.settings, user) for user in ("intake", "routing")}

    await buses["routing"].tell(offices())

    async def tell(story):
        await buses["intake"].tell([story.accepted])
        await buses["routing"].tell([story.decided, *story.offers])

    tell.intake, tell.bus = buses["intake"], buses["routing"]
    yield tell
    for bus in buses.values():
        await bus.close()


@pytest.fixture
def service(fresh_nats, server):
    return NotificationsSettings(
        data_dir=fresh_nats.data_dir,
        nats_url=fresh_nats.settings.nats_url,
        smtp_port=server.port,
        notifications_port=free_port(),
        unknown_hold=1,
    )


@asynccontextmanager
async def working(service, broker, intake):
    """The service, ready; who tells it events; and its door."""
    http = httpx.AsyncClient(base_url="http://intake", transport=httpx.MockTransport(intake))
    app = build_app(service, intake=http)
    async with (
        telling(broker) as tell,
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://health") as health,
    ):
        await until(lambda: ready(health))
        yield app, tell, health


async def test_events_become_mails_and_mails_become_events(service, fresh_nats, server, intake):
    async with working(service, fresh_nats, intake) as (app, tell, health):
        await tell(a_story(persons=3))
        await until(lambda: told_by(app, 6))
        assert len(server.arrived) == 6
        answer = await health.get("/readyz")
        assert (answer.status_code, answer.json()["notices"]) == (200, {"SENT": 6})
        assert (await health.get("/healthz")).status_code == 200
        assert (await health.get("/nothing")).headers["content-type"] == "application/problem+json"


async def test_a_durable_that_was_deleted_is_named_and_read_again_once_it_is_there(
    service, fresh_nats, server, intake
):
    async with working(service, fresh_nats, intake) as (app, tell, health):
        operator = await Bus.connect(fresh_nats.settings, "operator")
        assert await operator.js.delete_consumer("CASES", "notifications-offered")

        async def named():
            answer = await health.get("/readyz")
            return answer.status_code == 503 and answer.json()["reasons"] == [
                "the durable notifications-offered cannot be read"
            ]

        await until(named)  # a broker with much to do may answer for others too late as well
        before = await taken(fresh_nats)
        await asyncio.sleep(2)
        assert await taken(fresh_nats) - before < 500  # thousands where it is asked for without a pause
        await provision(operator.js)
        await operator.close()
        await tell(a_story(persons=3))
        await until(lambda: told_by(app, 6))
        assert await ready(health)


async def taken(broker):
    """Messages that the broker was sent so far."""
    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://127.0.0.1:{broker.monitor_port}/varz")).json()["in_msgs"]


async def ready(health):
    return (await health.get("/readyz")).status_code == 200


async def told_by(app, number):
    """Whether the broker holds so many endings; asked of the service's own ledger, which it marks afterwards."""
    parts = app.state.parts
    return (await parts.ledger.counts()).get("SENT") == number and not await parts.ledger.untold(1)


async def test_without_a_broker_the_service_is_not_ready_and_says_why(service, fresh_nats):
    fresh_nats.stop()
    app = build_app(service)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://health") as health,
    ):
        answer = await health.get("/readyz")
    assert answer.status_code == 503
    assert "broker" in answer.json()["detail"]


@asynccontextmanager
async def running(service):
    """A process that does not outlive its test, however that ends."""
    process = Process(service)
    try:
        yield process
    finally:
        if process.alive:
            process.end(kill=True)


class Process:
    _process = None

    @property
    def alive(self):
        return self._process is not None and self._process.poll() is None

    def __init__(self, settings):
        self.url = f"http://127.0.0.1:{settings.notifications_port}"
        self._env = {**os.environ} | {
            f"NETRAL_{name.upper()}": str(getattr(settings, name))
            for name in ("data_dir", "nats_url", "smtp_port", "notifications_port", "unknown_hold")
        }

    def start(self):
        said = Path(self._env["NETRAL_DATA_DIR"]) / "logs" / "notifications.log"
        self._process = Forked(["services.notifications"], self._env, said, said)

    def end(self, *, kill=False):
        self._process.kill() if kill else self._process.terminate()
        return self._process.wait(60)

    async def sent(self):
        try:
            async with httpx.AsyncClient() as http:
                return (await http.get(self.url + "/readyz")).json().get("notices", {})
        except httpx.HTTPError:
            return {}


async def test_kill_9_in_the_middle_loses_nothing_and_doubles_only_what_it_says_may_be_double(
    service, fresh_nats, server
):
    stories = [a_story(ticket=f"NTR-AAAA-AAAA-AAAA-{n:04}") for n in range(40)]
    async with telling(fresh_nats) as tell, running(service) as process:
        for story in stories:
            await tell.intake.tell([story.accepted])  # its reporter waits for an intake that is not there
            await tell.bus.tell([*story.offers])
        process.start()
        for goal in (20, 70, 120):
            await until(lambda goal=goal: _arrived(server, goal))
            await asyncio.to_thread(process.end, kill=True)
            process.start()

        async def all_sent():
            return (await process.sent()).get("SENT") == 160

        await until(all_sent)
        assert await asyncio.to_thread(process.end) == 0
    mails = server.mails()
    plain = [mail["Message-ID"] for mail in mails if mail["X-Netral-Possible-Duplicate"] is None]
    assert len({mail["Message-ID"] for mail in mails}) == 160
    assert len(plain) == len(set(plain))
    assert len(mails) - 160 <= 3 * 4


async def _arrived(server, goal):
    return len(server.arrived) >= goal
