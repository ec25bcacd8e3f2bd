"""The door against a real nats-server that comes and goes."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from services.intake.matcher import DURABLE
from services.intake.traffic import Traffic
from services.runtime.messaging import Bus
from tests.intake.builders import a_report
from tests.intake.stream import messages, waiting_for
from tests.intake.test_handlers import rows
from tests.intake.waiting import eventually

pytestmark = pytest.mark.broker
NO_ROOM = (
    "ALTER TABLE reports ADD CONSTRAINT no_room CHECK (false) NOT VALID",
    "CREATE TRIGGER no_room BEFORE INSERT ON reports BEGIN SELECT RAISE(ABORT, 'no room'); END",
)
ROOM = "ALTER TABLE reports DROP CONSTRAINT no_room", "DROP TRIGGER no_room"
"""For PostgreSQL and for SQLite: a vault that can be read and takes no report."""


@pytest.fixture
async def real(with_broker, clock, open_door):
    async with open_door(with_broker, clock) as door:
        yield door


async def send(door, key=None, report=None):
    headers = {"Idempotency-Key": key} if key else {}
    return await door.http.post("/v1/reports", json=report or a_report(), headers=headers)


async def changed(url, statement):
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def answers(door, path, status):
    return (await door.http.get(path)).status_code == status


async def test_an_accepted_report_is_on_the_stream_before_the_answer(real):
    answer = await send(real)
    (message,) = await messages(real.settings)
    assert answer.status_code == 202
    assert answer.json()["ticket"].encode() in message


async def test_fifty_requests_at_once_become_fifty_messages_and_a_repetition_none(real):
    for _ in range(2):
        answers = await asyncio.gather(*(send(real, f"k{n}") for n in range(50)))
        assert {answer.status_code for answer in answers} == {202}
    said = [message.split(b"\n", 1)[0] for message in await messages(real.settings)]
    assert len([subject for subject in said if subject.endswith(b".accepted")]) == 50


async def test_concurrent_requests_with_one_key_are_one_message(real):
    answers = await asyncio.gather(*(send(real, "same") for _ in range(20)))
    assert len({answer.content for answer in answers}) == 1
    assert len(await messages(real.settings)) == 1


async def test_a_stopped_broker_means_503_and_nothing_left_behind_until_it_is_back(real, fresh_nats):
    fresh_nats.stop()
    await eventually(lambda: answers(real, "/readyz", 503))
    refused = await send(real, "k")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert await rows(real.settings.vault_address) == {}
    fresh_nats.server.start()
    await eventually(lambda: answers(real, "/readyz", 200))
    assert (await send(real, "k")).status_code == 202
    assert len(await messages(real.settings)) == 1


async def test_a_vault_that_takes_nothing_more_is_a_warning_until_it_does(real):
    """Not unready: who leads requests around this door would also keep the agencies from the reports that are there."""
    url = real.settings.vault_address
    for change, status, warned in ((NO_ROOM, 503, True), (ROOM, 202, False)):
        await changed(url, change[url.startswith("sqlite")])
        assert (await send(real)).status_code == status
        health = await real.http.get("/readyz")
        assert (health.status_code, bool(health.json()["warnings"])) == (200, warned)


async def test_a_door_that_starts_before_its_broker_answers_503_until_then(
    with_broker, clock, fresh_nats, open_door
):
    fresh_nats.stop()
    async with open_door(with_broker, clock, until="vault") as door:
        assert (await send(door)).status_code == 503
        fresh_nats.server.start()
        await eventually(lambda: answers(door, "/readyz", 200))
        assert (await send(door)).status_code == 202


async def test_a_report_whose_process_died_before_telling_is_completed_by_its_sender(
    with_broker, clock, open_door, bus
):
    bus.away = "ambiguous"
    async with open_door(with_broker, clock, bus) as door:
        assert (await send(door, "k")).status_code == 503
    clock.now += timedelta(minutes=2)
    async with open_door(with_broker, clock) as door:
        assert (await send(door, "k")).status_code == 202
    assert len(await messages(with_broker)) == 1
    assert await rows(with_broker.vault_address) == {"accepted": 1}


class WatchedTraffic(Traffic):
    """Remembers who passed, and that somebody waits until all are gone."""

    def __init__(self):
        super().__init__(patience=3600)
        self.passed, self.asked = 0, asyncio.Event()

    def passing(self):
        self.passed += 1
        return super().passing()

    async def gone(self):
        self.asked.set()
        await super().gone()


async def test_reports_are_compared_while_nobody_stands_at_the_door(with_broker, clock, open_door):
    traffic = WatchedTraffic()

    async def all_compared():
        return not await waiting_for(with_broker, DURABLE)

    async with open_door(with_broker, clock, traffic=traffic) as door:
        with traffic.passing():
            assert (await send(door)).status_code == 202
            await asyncio.wait_for(traffic.asked.wait(), 10)
            assert (traffic.passed, await waiting_for(with_broker, DURABLE)) == (2, 1)
        await eventually(all_compared)


async def test_the_bus_tells_what_is_stored(real):
    ticket = (await send(real)).json()["ticket"]
    bus = await Bus.connect(real.settings, "intake", wait=False)
    subject = (await messages(real.settings))[0].split(b"\n", 1)[0].decode()
    assert await bus.stored(subject)
    assert ticket.encode() in await bus.read(subject)
    await bus.close()
