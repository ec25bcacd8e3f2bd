"""A report that joins a case makes its reporter hear of the decision that stands."""

import pytest

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
