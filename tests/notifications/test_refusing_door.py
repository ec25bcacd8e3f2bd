"""Unsubscribing from optional mail: one click for programs, a page for people, and never more than what is optional."""

import httpx
import pytest
from starlette.applications import Starlette

from services.notifications.refusing_door import RefusingDoor
from tests.notifications.conftest import KEY
from tests.notifications.story import a_story


@pytest.fixture
def ledger_url(database_url):
    """Everything here holds on both databases."""
    return database_url


@pytest.fixture
async def web(office, clock):
    app = Starlette(routes=[RefusingDoor(office.ledger, clock, KEY).route()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://netral") as client:
        yield client


def link_of(mail):
    return mail["List-Unsubscribe"].strip("<>").partition("/mail/")[2]


async def told(office, story, number, **said):
    await office.hear(story.step(number, "STUDY_CONCLUDED", **said))
    await office.settle()


async def test_only_news_can_be_unsubscribed_from(office, server, web):
    story = a_story()
    await office.hear(*story.events, story.due("OVERDUE"))
    await told(office, story, 1, result="BREACH")
    optional = {m["X-Netral-Letter"] for m in server.mails() if m["List-Unsubscribe"]}
    assert optional == {"1/status", "1/progress"}


async def test_one_click_stops_news_and_what_must_be_said_still_comes(office, server, web):
    story = a_story()
    await office.hear(*story.events)
    await told(office, story, 1, result="BREACH")
    mail = next(m for m in server.mails() if m["X-Netral-Letter"] == "1/status")
    path = f"/mail/{link_of(mail)}"
    asked = await web.get(path)
    assert (asked.status_code, "Ya, hentikan" in asked.text) == (200, True)
    assert "script" not in asked.text
    assert "default-src 'none'" in asked.headers["Content-Security-Policy"]
    known = len(server.arrived)
    done = await web.post(path, content="List-Unsubscribe=One-Click")
    assert done.status_code == 200
    await told(office, story, 2, result="NO_BREACH")
    await told(office, story, 3, result="REPAIR_NEEDED")
    mine = [m["X-Netral-Letter"] for m in server.mails()[known:] if m["To"] == "warga@contoh.example"]
    assert mine == ["1/repair"]
    assert (await office.ledger.counts())["SUPPRESSED"] == 1
    await web.post(path, data={"do": "resume"})
    known = len(server.arrived)
    await told(office, story, 4, result="BREACH")
    assert "1/status" in [m["X-Netral-Letter"] for m in server.mails()[known:]]


async def test_looking_at_the_page_changes_nothing_and_a_strange_link_is_said_to_be_strange(
    office, server, web
):
    story = a_story()
    await office.hear(*story.events)
    await told(office, story, 1, result="BREACH")
    mail = next(m for m in server.mails() if m["X-Netral-Letter"] == "1/status")
    for _ in range(3):
        await web.get(f"/mail/{link_of(mail)}")
    assert not await office.ledger.refuses(f"REPORTER/{story.accepted.data.report_id}")
    assert (await web.get("/mail/unsubscribe/" + "A" * 40)).status_code == 404


async def test_one_click_is_announced_only_over_https(desk, settings, server):
    for url, announced in (("https://netral.example.go.id", True), ("http://127.0.0.1:8082", False)):
        parts = desk(given=settings.model_copy(update={"unsubscribe_url": url}))
        await parts.ledger.start()
        story = a_story(ticket=f"NTR-AAAA-AAAA-AAAA-000{int(announced)}")
        await parts.hear(*story.events)
        known = len(server.arrived)
        await told(parts, story, 1, result="BREACH")
        news = [m for m in server.mails()[known:] if m["X-Netral-Letter"] == "1/status"]
        assert [bool(m["List-Unsubscribe-Post"]) for m in news] == [announced]
        await parts.close()
