"""What is read of cases is read a few at once, because a decision about many persons is large."""

import asyncio
from uuid import UUID

import pytest

from services.notifications.casefile import AT_ONCE, Casefiles
from services.notifications.core.matrix import matrix
from services.notifications.handlers import DECISIONS
from services.runtime.failures import TryLater
from tests.notifications.story import a_story


class SlowBus:
    """Counts how many are reading at one moment; it holds nothing."""

    def __init__(self):
        self.now = self.most = self.reads = 0

    async def read(self, _subject):
        self.reads += 1
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(50):
            await asyncio.sleep(0)
        self.now -= 1


async def test_decisions_are_read_a_few_at_once_and_each_but_once():
    bus = SlowBus()
    cases = Casefiles(matrix(), bus)
    wanted = [UUID(int=n) for n in (*range(4 * AT_ONCE), *range(4 * AT_ONCE))]
    found = await asyncio.gather(*map(cases.decision, wanted), return_exceptions=True)
    assert all(isinstance(one, TryLater) for one in found)
    assert bus.most == AT_ONCE
    assert bus.reads == 4 * AT_ONCE


async def test_who_heads_an_office_is_judged_by_no_less_than_the_step_that_was_told(bus):
    story, cases = a_story(person__status="PNS"), Casefiles(matrix(), bus)
    step = story.step(1, "IDENTIFIED", person="p1", status="PJ_KEPALA_DAERAH")
    ids = step.data.case_id, step.data.report_id
    bus.stored[story.accepted.nats_subject] = story.accepted
    assert await cases.heads(*ids) == frozenset()
    with pytest.raises(TryLater):
        await cases.heads(*ids, step=1)
    bus.stored[step.nats_subject] = step
    assert await cases.heads(*ids, step=1)


async def test_decisions_are_handled_a_few_at_once(desk):
    batches = {}

    class Durables:
        def subscriber(self, **options):
            batches[options["durable"]] = options["pull_sub"].batch_size
            return lambda handler: handler

    desk().handlers.subscribe(Durables())
    assert batches["notifications-decided"] == DECISIONS < batches["notifications-received"]
