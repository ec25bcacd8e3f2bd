"""A story with a thousand reports is read in pages of bounded size, in order of time, each entry once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.events import CaseDecided, ReportLinked, ReportLinkedData
from services.routing.core.decide import Judge
from services.routing.paging import read_cursor
from services.routing.projecting import Entry
from services.routing.story_pages import MOST, page_of_story
from tests.routing.histories import history
from tests.routing.test_projecting import opened

COPIES = 1000


def copies(first: CaseDecided) -> list[ReportLinked]:
    """A thousand copies, ten in each second."""
    data = first.data
    return [
        ReportLinked(
            id=UUID(int=10_000 + number),
            source="netral/routing",
            subject=str(data.case_id),
            time=first.time + timedelta(seconds=number // 10),
            data=ReportLinkedData(
                report_id=UUID(int=20_000 + number), case_id=data.case_id, ticket=f"NTR-C{number:04}"
            ),
        )
        for number in range(COPIES)
    ]


async def test_a_thousand_copies_come_in_pages_each_once(database_url: str, judge: Judge) -> None:
    events = history(judge, 1)
    first = events[0]
    assert isinstance(first, CaseDecided)
    log = [Entry("CASES", seq, event) for seq, event in enumerate([*events, *copies(first)], 1)]
    async with opened(database_url) as views:
        await views.keep_all(log)
        seen: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = await page_of_story(views.engine, str(first.data.case_id), read_cursor(cursor))
            assert len(page.reports) + len(page.notices) <= MOST
            assert page.total == {"reports": COPIES + 1, "notices": 0}
            seen += page.reports
            if (cursor := page.next_cursor) is None:
                break
        assert len({row["report_id"] for row in seen}) == len(seen) == COPIES + 1
        assert [row["at"] for row in seen] == sorted(row["at"] for row in seen)
