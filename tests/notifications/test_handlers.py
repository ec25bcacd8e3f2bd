"""A report that joins a case makes its reporter hear of the decision that stands."""

from datetime import timedelta

import pytest

from contracts.events import NoticeOutcome
from services.runtime.failures import TryLater
from tests.notifications.story import a_story, link


async def test_the_reporter_of_a_copy_hears_of_the_decision_and_the_first_one_once(office, bus, rows):
    story, copy = a_story(), a_story(ticket="NTR-AAAA-AAAA-AAAA-AAAA").accepted
    await bus.tell([story.decided])
    await office.hear(story.decided, link(story, story.accepted), link(story, copy), link(story, copy))
    assert await office.settle() == 2
    assert (await rows())[("ROUTED", None)]["case_id"] == str(story.decided.data.case_id)


async def test_without_the_decision_a_link_waits(office, bus, rows):
    story = a_story()
    with pytest.raises(TryLater):
        await office.hear(link(story, story.accepted))
    bus.away = True
    with pytest.raises(TryLater):
        await office.hear(link(story, story.accepted))
    assert await rows() == {}


async def test_what_a_lost_ledger_had_mailed_is_not_mailed_again_and_the_rest_is(
    desk, settings, bus, server, tmp_path
):
    """The mails of the decision left and were told of; then the ledger was lost, and everything is heard again."""
    story, first = a_story(), desk()
    await first.ledger.start()
    await first.hear(story.accepted, story.decided, *story.offers)
    mailed = await first.settle()
    await first.teller.tell_endings()
    await first.close()
    another = desk(settings.model_copy(update={"data_dir": tmp_path / "another"}))
    (tmp_path / "another").mkdir()
    await another.ledger.start()
    hour = timedelta(hours=1)
    await another.hear(story.accepted, story.decided, *story.offers, story.due("OVERDUE"), waited=hour)
    assert await another.settle() == 1, "only what nobody had been told of"
    assert (await another.ledger.counts()) == {"SENT": mailed + 1}
    assert await another.teller.tell_endings() == 1
    await another.close()


async def test_of_a_notice_that_came_back_the_last_word_counts(desk, settings, bus, clock, tmp_path):
    story, first = a_story(), desk()
    await first.ledger.start()
    await first.hear(story.accepted)
    await first.settle()
    await first.teller.tell_endings()
    (sent,) = bus.events.values()
    back = sent.model_copy(
        update={"data": sent.data.model_copy(update={"outcome": NoticeOutcome.BOUNCED, "turn": 1})}
    )
    await bus.tell([back])
    await first.close()
    another = desk(settings.model_copy(update={"data_dir": tmp_path / "another"}))
    (tmp_path / "another").mkdir()
    await another.ledger.start()
    await another.hear(story.accepted, waited=timedelta(hours=1))
    assert (await another.settle(), await another.ledger.counts()) == (0, {"BOUNCED": 1})
    await another.close()
