"""A clock that ran days ahead for a moment and was set back leaves nothing waiting for the days between."""

import pytest
from sqlalchemy import select

from services.notifications.ledger_tables import notices
from tests.notifications.story import a_story


@pytest.fixture
def ledger_url(database_url):
    """Everything here holds on both databases."""
    return database_url


async def test_a_mail_that_was_put_off_by_a_clock_ahead_is_tried_at_once(office, server, clock):
    server.script.append("RCPT 451")
    await office.hear(a_story().accepted)
    clock.move(days=9)
    await office.sender.send_due()
    clock.move(days=-9)
    await office.sender.sweep()
    await office.sender.send_due()
    assert len(server.arrived) == 1


async def test_letters_of_the_days_ahead_are_no_burst_today(office, clock):
    clock.move(days=9)
    for number in range(51):
        await office.hear(*a_story(ticket=f"NTR-AAAA-AAAA-AAAA-{number:04}").events)
    clock.move(days=-9)
    await office.hear(*a_story(ticket="NTR-BBBB-BBBB-BBBB-BBBB").events)
    today = select(notices.c.slot).where(notices.c.created_at == clock())
    async with office.ledger.engine.connect() as connection:
        assert set((await connection.execute(today)).scalars()) == {None}
