"""When the broker is away, or the process dies between two steps: nothing is half-accepted."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine

from services.intake.handlers import Intake
from services.intake.sealing import Sealer
from services.intake.vault import Vault
from services.intake.vault_tables import reports
from services.runtime.database import open_engine
from services.runtime.messaging import BrokerAway
from tests.intake.builders import a_report
from tests.intake.waiting import eventually


async def rows(url):
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = (
            await connection.execute(select(reports.c.state, func.count()).group_by(reports.c.state))
        ).all()
    await engine.dispose()
    return dict(found)


async def send(door, key="k", report=None):
    return await door.http.post("/v1/reports", json=report or a_report(), headers={"Idempotency-Key": key})


async def test_a_broker_that_is_away_means_503_and_nothing_left_behind(door):
    door.bus.away = "clean"
    answer = await send(door)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    assert await rows(door.settings.vault_address) == {}


async def test_the_same_request_is_accepted_once_the_broker_is_back(door):
    door.bus.away = "clean"
    await send(door)
    door.bus.away = None
    assert (await send(door)).status_code == 202


async def test_after_an_unclear_answer_the_same_request_completes_the_same_report(door):
    door.bus.away, door.bus.keeps_while_away = "ambiguous", True
    assert (await send(door)).status_code == 503
    assert await rows(door.settings.vault_address) == {"stored": 1}
    door.bus.away = None
    door.clock.now += timedelta(minutes=5)
    answer = await send(door)
    assert answer.status_code == 202
    assert answer.json()["received_at"].startswith("2026-11-24T11:00:00")
    assert len(door.bus.events) == 1


async def test_a_failed_repetition_never_deletes_what_was_accepted(door):
    sent = (await send(door)).json()
    door.bus.away = "clean"
    assert (await send(door)).status_code == 503
    status = await door.http.get(f"/v1/reports/{sent['ticket']}", headers={"Netral-Receipt": sent["receipt"]})
    assert status.status_code == 200


async def test_a_restart_keeps_every_report_and_its_answer(settings, clock, bus, open_door):
    async with open_door(settings, clock, bus) as door:
        first = await send(door)
    assert await rows(settings.vault_address) == {"accepted": 1}
    async with open_door(settings, clock, bus) as door:
        assert (await send(door)).content == first.content


@pytest.fixture
async def intake(settings, clock, bus):
    vault = Vault(open_engine(settings.vault_address))
    await vault.start()
    yield Intake(vault, Sealer(settings.key("vault.key")), settings.key("door.key"), clock, bus)
    await vault.close()


async def leave_unsettled(intake, bus, *, on_the_stream):
    bus.away, bus.keeps_while_away = "ambiguous", on_the_stream
    with pytest.raises(BrokerAway):
        await intake.submit(b"raw", a_report(), "k")
    bus.away = None


async def test_reconciling_accepts_what_is_on_the_stream(intake, bus, clock, settings):
    await leave_unsettled(intake, bus, on_the_stream=True)
    assert await intake.reconcile(clock() + timedelta(seconds=1), frozenset()) == frozenset()
    await intake.submit(b"other", a_report(), "other")  # its commit carries the note

    async def both_accepted():
        return await rows(settings.vault_address) == {"accepted": 2}

    await eventually(both_accepted)


async def test_reconciling_deletes_only_what_is_missing_twice(intake, bus, clock, settings):
    await leave_unsettled(intake, bus, on_the_stream=False)
    later = clock() + timedelta(seconds=1)
    doubted = await intake.reconcile(later, frozenset())
    assert len(doubted) == 1
    assert await rows(settings.vault_address) == {"stored": 1}
    assert await intake.reconcile(later, doubted) == frozenset()
    assert await rows(settings.vault_address) == {}


async def test_reconciling_deletes_nothing_that_only_a_copy_of_the_stream_lacks(intake, bus, clock, settings):
    await leave_unsettled(intake, bus, on_the_stream=True)
    bus.behind, doubted = True, frozenset()
    for _ in range(3):
        doubted = await intake.reconcile(clock() + timedelta(seconds=1), doubted)
        assert len(doubted) == 1
    assert await rows(settings.vault_address) == {"stored": 1}


async def test_reconciling_leaves_young_reports_alone(intake, bus, clock, settings):
    await leave_unsettled(intake, bus, on_the_stream=False)
    for _ in range(2):
        assert await intake.reconcile(clock(), frozenset()) == frozenset()
    assert await rows(settings.vault_address) == {"stored": 1}


async def test_reconciling_waits_while_a_request_with_that_key_is_at_work(intake, bus, clock, settings):
    await leave_unsettled(intake, bus, on_the_stream=False)
    doubted = await intake.reconcile(clock() + timedelta(seconds=1), frozenset())
    accepted, missing = await asyncio.gather(
        intake.submit(b"raw", a_report(), "k"), intake.reconcile(clock() + timedelta(seconds=1), doubted)
    )
    assert accepted.ticket
    assert missing == frozenset()
    assert len(bus.events) == 1
    assert sum((await rows(settings.vault_address)).values()) == 1
