import pytest

from services.notifications.bouncing import came_back
from services.notifications.core.bounces import Fate, Returned
from services.notifications.core.notices import told
from services.runtime.messaging import BrokerAway
from tests.notifications.story import a_story


async def test_every_ending_is_told_once(office, server, bus):
    server.script.append("RCPT 550")
    await office.hear(*a_story().events)
    await office.settle()
    assert await office.teller.tell_endings() == 6
    assert await office.teller.tell_endings() == 0
    outcomes = sorted(event.data.outcome for event in bus.events.values())
    assert outcomes == ["FAILED", *["SENT"] * 5]


async def test_what_could_not_be_told_is_told_later(office, server, bus):
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    bus.away = True
    with pytest.raises(BrokerAway):
        await office.teller.tell_endings()
    bus.away = False
    assert await office.teller.tell_endings() == 1
    (event,) = bus.events.values()
    assert (event.data.step, event.data.attempts) == ("RECEIVED", 1)


async def test_what_still_waits_is_not_told(office, server, bus):
    server.script.append("RCPT 451")
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    assert await office.teller.tell_endings() == 0


async def test_what_changes_after_it_was_told_and_before_that_was_noted_is_told_too(
    office, server, bus, clock
):
    """We died in between; the bus keeps the first word under each name."""
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    (ending,) = await office.ledger.untold(10)
    await bus.tell([told(ending.notice, ending.state, ending.attempts, ending.at, ending.turn)])
    await came_back(office.ledger, ending.notice.notice_id, Returned(Fate.FAILED, "5.1.1"), clock())
    assert await office.teller.tell_endings() == 1
    assert sorted(event.data.outcome for event in bus.events.values()) == ["BOUNCED", "SENT"]
