"""A report that joins a case makes its reporter hear of the decision that stands."""

import asyncio
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from contracts.events import NoticeOutcome
from services.notifications import app
from services.notifications.ledger_tables import notices
from services.runtime.failures import TryLater
from tests.notifications.story import a_story, link


async def test_the_reporter_of_a_copy_hears_of_the_decision_and_the_first_one_once(office, bus, rows):
    story, copy = a_story(), a_story(ticket="NTR-AAAA-AAAA-AAAA-AAAA").accepted
    await bus.tell([story.decided])
    await office.hear(story.accepted, copy, story.decided)
    await office.hear(link(story, story.accepted), link(story, copy), link(story, copy))
    assert await office.settle() == 4
    assert (await rows())[("ROUTED", None)]["case_id"] == str(story.decided.data.case_id)


async def test_a_reporter_gets_the_receipt_first_also_where_the_decision_is_heard_before_it(
    office, bus, clock, server
):
    story = a_story()
    await bus.tell([story.decided])
    await office.hear(link(story, story.accepted))
    assert await office.settle() == 0, "the receipt is on its way"
    await office.hear(story.accepted)
    assert await office.settle() == 2
    letters = [mail["X-Netral-Letter"].partition("/")[2] for mail in server.mails()]
    assert letters == ["received", "routed"]


async def test_a_decision_recorded_by_a_release_that_plans_nothing_keeps_its_turn(office, bus, clock):
    story = a_story()
    await bus.tell([story.decided])
    await office.hear(link(story, story.accepted))
    async with office.ledger.engine.begin() as connection:
        await connection.execute(update(notices).values(due_at=None))
    await office.hear(story.accepted)
    clock.move(seconds=46)
    assert await office.settle() == 2


async def test_a_receipt_that_never_comes_holds_the_decision_for_less_than_a_minute(office, bus, clock):
    story = a_story()
    await bus.tell([story.decided])
    await office.hear(link(story, story.accepted))
    clock.move(seconds=46)
    assert await office.settle() == 1


async def test_without_the_decision_a_link_waits(office, bus, rows):
    story = a_story()
    with pytest.raises(TryLater):
        await office.hear(link(story, story.accepted))
    bus.away = True
    with pytest.raises(TryLater):
        await office.hear(link(story, story.accepted))
    assert await rows() == {}


@pytest.fixture
def later(desk, settings, clock, tmp_path):
    """The service an hour later, over a ledger that is new, or a copy of an older one."""

    async def begun(copy_of=None):
        folder = tmp_path / "another"
        folder.mkdir()
        if copy_of:
            (folder / "notifications.db").write_bytes(copy_of)
        clock.move(hours=1)
        parts = desk(settings.model_copy(update={"data_dir": folder}))
        await parts.ledger.start()
        await parts.handlers.take_over()
        return parts

    return begun


async def test_what_a_lost_ledger_had_mailed_is_not_mailed_again_and_the_rest_is(office, later):
    """The mails of the decision left and were told of; then the ledger was lost, and everything is heard again."""
    story = a_story()
    await office.hear(story.accepted, story.decided, *story.offers)
    mailed = await office.settle()
    await office.teller.tell_endings()
    another = await later()
    await another.hear(story.accepted, story.decided, *story.offers, story.due("OVERDUE"))
    assert await another.settle() == 1, "only what nobody had been told of"
    assert await another.ledger.counts() == {"SENT": mailed + 1}
    assert await another.teller.tell_endings() == 1
    await another.close()


async def test_an_older_copy_of_the_ledger_learns_what_left_since_before_it_sends(office, later, tmp_path):
    story = a_story()
    await office.hear(story.accepted, story.decided, *story.offers)
    copy = tmp_path / "copy.db"
    with (
        closing(sqlite3.connect(tmp_path / "notifications.db")) as old,
        closing(sqlite3.connect(copy)) as new,
    ):
        old.backup(new)
    mailed = await office.settle()
    await office.teller.tell_endings()
    another = await later(copy.read_bytes())
    assert await another.settle() == 0
    assert await another.ledger.counts() == {"SENT": mailed}
    await another.close()


@pytest.mark.parametrize(("first_is_lost", "turn"), [(False, 1), (True, 1), (False, 5)])
async def test_of_a_notice_that_came_back_the_last_word_counts(office, bus, later, first_is_lost, turn):
    story = a_story()
    await office.hear(story.accepted)
    await office.settle()
    await office.teller.tell_endings()
    (sent,) = bus.events.values()
    came_back = sent.data.model_copy(update={"outcome": NoticeOutcome.BOUNCED, "turn": turn})
    await bus.tell([sent.model_copy(update={"data": came_back})])
    if first_is_lost:
        del bus.events[sent.nats_subject]
    another = await later()
    await another.hear(story.accepted)
    assert (await another.settle(), await another.ledger.counts()) == (0, {"BOUNCED": 1})
    await another.close()


async def test_who_reported_after_a_step_does_not_hear_of_it_because_it_is_told_again(office, clock, server):
    story, copy = a_story(), a_story(ticket="NTR-AAAA-AAAA-AAAA-AAAA").accepted
    await office.hear(story.accepted, story.decided, link(story, story.accepted))
    step = story.step(1, "SUPERVISOR_CONCLUDED", result="RECOMMENDED", by="BKN", office="pusat")
    await office.hear(step)
    await office.settle()
    assert "status" in server.mails()[-1]["X-Netral-Letter"], "the first reporter hears of it"
    clock.move(hours=1)
    await office.hear(copy, link(story, copy, at=clock()))
    assert await office.settle() == 2
    await office.hear(step)
    assert await office.settle() == 0


async def test_what_cannot_be_read_of_an_ending_keeps_nothing_from_being_mailed(office, bus, later):
    story = a_story()
    await office.hear(story.accepted)
    await office.settle()
    await office.teller.tell_endings()
    (subject,) = bus.events
    bus.events[subject] = SimpleNamespace(model_dump_json=lambda **_: "{}")
    another = await later()
    await another.hear(story.accepted)
    assert await another.settle() == 1
    await another.close()


async def test_nothing_is_sent_before_it_is_known_what_has_ended():
    sent, opened, handlers = asyncio.Event(), asyncio.Event(), SimpleNamespace(taken_over=asyncio.Event())

    async def run():
        sent.set()

    opened.set()
    parts = SimpleNamespace(
        offices=SimpleNamespace(opened=opened), handlers=handlers, sender=SimpleNamespace(run=run)
    )
    sending = asyncio.create_task(app._sending(parts))
    await asyncio.sleep(0.05)
    assert not sent.is_set()
    handlers.taken_over.set()
    await sending
    assert sent.is_set()
