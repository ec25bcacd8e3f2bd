"""Digests, bursts, other people's servers, and the alarm when mail is down."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from contracts.codes import Agency
from contracts.directory import Digest, Place
from contracts.events import NoticeStep
from services.notifications import desk as work
from services.notifications.core.notices import State, told
from services.notifications.gates import Gates
from services.notifications.ledger_tables import notices
from services.notifications.road import Road
from services.runtime.telemetry import set_up
from tests.notifications.offices import a_directory, a_term
from tests.notifications.story import NOON, a_story, link

KEMENDAGRI = Place(Agency.KEMENDAGRI, "pusat")


@pytest.fixture
def ledger_url(database_url):
    """Everything here holds on both databases."""
    return database_url


@pytest.fixture
async def daily(desk):
    """A desk whose Kemendagri wants what can wait once a day."""
    term = a_term(KEMENDAGRI, duty_address="rangkuman@kemendagri.example", digest=Digest.DAILY)
    parts = desk(directory=a_directory(**{str(KEMENDAGRI): [term]}))
    await parts.ledger.start()
    yield parts
    await parts.close()


def stories(number):
    return [a_story(ticket=f"NTR-AAAA-AAAA-AAAA-{n:04}") for n in range(number)]


async def test_an_office_that_chose_daily_gets_one_digest_in_the_morning(daily, server, clock, bus):
    for story in stories(5):
        await daily.hear(*story.events)
    await daily.settle()
    assert not [m for m in server.mails() if m["To"] == "rangkuman@kemendagri.example"]
    clock.move(hours=24)
    await daily.settle()
    (digest,) = [m for m in server.mails() if m["To"] == "rangkuman@kemendagri.example"]
    assert digest["Subject"] == "[Netral] Rangkuman pemberitahuan (5) / Digest of notices"
    text = digest.get_body(("plain",)).get_content()
    assert all(story.accepted.data.ticket in text for story in stories(5))
    await daily.teller.tell_endings()
    assert len([e for e in bus.events.values() if e.data.agency == "KEMENDAGRI"]) == 5
    assert await daily.ledger.counts() == {"SENT": 31}
    assert not await ended_and_untold(daily.ledger)


async def ended_and_untold(ledger):
    """What the ledger looks at whenever something is to be told; it must not grow with what was sent."""
    return [row for row in await work.listing(ledger) if row["state"] == "SENT" and not row["told"]]


async def test_the_digests_of_an_earlier_version_are_not_looked_at_for_ever(daily, clock):
    for story in stories(2):
        await daily.hear(*story.events)
    clock.move(hours=24)
    await daily.settle()
    await daily.teller.tell_endings()
    earlier = update(notices).where(notices.c.step == NoticeStep.DIGEST).values(told=0)
    await daily.ledger.execute(earlier)
    assert len(await ended_and_untold(daily.ledger)) == 1
    await daily.ledger.start()
    assert not await ended_and_untold(daily.ledger)


async def test_in_an_older_copy_a_digest_of_which_all_has_left_is_not_sent_again(daily, server, clock):
    for story in stories(5):
        await daily.hear(*story.events)
    await daily.settle()
    clock.move(hours=24)
    server.script.append("RCPT 451")
    await daily.settle()
    clock.move(seconds=1)
    waiting = await daily.ledger.waiting(clock())
    members = [notice for notice in waiting if notice.step is not NoticeStep.DIGEST]
    assert (len(waiting), len(members)) == (6, 5)
    await daily.ledger.take_over(waiting, {})
    assert len(await daily.ledger.waiting(clock())) == 6, "nothing is known of them"
    ended = {notice.notice_id: told(notice, State.SENT, 1, clock()) for notice in members}
    await daily.ledger.take_over(waiting, ended)
    digest = select(notices.c.ended_at).where(notices.c.step == NoticeStep.DIGEST)
    assert [row.ended_at for row in await daily.ledger.read(digest)] == [clock()]
    clock.move(hours=24)
    assert await daily.settle() == 0
    assert await daily.ledger.counts() == {"SENT": 31}


async def test_one_notice_alone_is_no_digest(daily, server, clock):
    await daily.hear(*a_story().events)
    clock.move(hours=24)
    await daily.settle()
    (mail,) = [m for m in server.mails() if m["To"] == "rangkuman@kemendagri.example"]
    assert mail["X-Netral-Letter"] == "1/offered"


async def test_a_mail_that_waits_for_its_digest_is_not_late(desk, settings, clock, server):
    telemetry = set_up("notifications", settings)
    term = a_term(KEMENDAGRI, duty_address="rangkuman@kemendagri.example", digest=Digest.DAILY)
    parts = desk(telemetry=telemetry, directory=a_directory(**{str(KEMENDAGRI): [term]}))
    await parts.ledger.start()
    await parts.hear(*a_story().events)
    await parts.settle()
    (due,) = [row["next_attempt_at"] for row in await work.listing(parts.ledger) if row["slot"]]
    assert due - clock() > timedelta(hours=1)
    clock.now = due
    await parts.settle()
    samples = [s for family in telemetry.registry.collect() for s in family.samples]
    ages = [s for s in samples if s.name == "netral_mail_age_seconds_bucket"]
    assert len(server.arrived) == 6
    assert sum(s.value for s in ages if s.labels["le"] == "5.0") == 6
    await parts.close()
    telemetry.shutdown()


async def test_what_was_gathered_shares_the_fate_of_its_digest(daily, server, clock, rows):
    for story in stories(3):
        await daily.hear(story.accepted, *story.offers)
    await daily.settle()
    server.script.extend(["RCPT 550"])
    clock.move(hours=24)
    await daily.settle()
    counts = await daily.ledger.counts()
    assert counts["FAILED"] == 4


@pytest.mark.timeout(240)
@pytest.mark.parametrize("ledger_url", [None])
async def test_a_thousand_linked_reports_are_one_mail_to_each_office(office, server):
    story = a_story()
    await office.hear(*story.events)
    await office.settle()
    to_offices = [m for m in server.mails() if m["To"] != "warga@contoh.example"]
    for n in range(1000):
        copy = story.accepted.model_copy(
            update={
                "data": story.accepted.data.model_copy(
                    update={"report_id": UUID(int=n), "ticket": f"NTR-{n:04}"}
                )
            }
        )
        if n < 20:  # the reporters' own letters are not what this is about
            await office.hear(link(story, copy))
        await office.hear(*story.offers[:1])
    await office.settle()
    again = [m for m in server.mails() if m["To"] != "warga@contoh.example"]
    assert len(again) == len(to_offices) == 4


async def test_a_burst_of_cases_is_a_few_letters_and_one_digest(desk, settings, server, clock):
    parts = desk(given=settings.model_copy(update={"mail_burst": 5}))
    await parts.ledger.start()
    for story in stories(40):
        parts.know(story)
        await parts.hear(story.offers[0])
    await parts.settle()
    assert len(server.arrived) == 5
    clock.move(minutes=10)
    await parts.settle()
    assert len(server.arrived) == 6
    assert "(35)" in server.mails()[-1]["Subject"]
    await parts.close()


def test_one_domain_gets_no_more_than_its_rate_and_less_when_it_asks():
    gates = Gates(10, 2)
    turns = [gates.turn("a.example", NOON) for _ in range(5)]
    assert turns[0] == NOON
    assert turns[4] - turns[0] == timedelta(milliseconds=400)
    assert gates.turn("b.example", NOON) == NOON
    gates.slow_down("b.example", NOON)
    gates.turn("b.example", NOON)
    assert gates.turn("b.example", NOON) - NOON >= timedelta(seconds=1)


def test_a_clock_that_is_set_back_leaves_no_domain_waiting():
    gates = Gates(10, 2)
    gates.slow_down("a.example", NOON + timedelta(days=9))
    assert gates.turn("a.example", NOON + timedelta(days=9)) == NOON + timedelta(days=9)
    assert [gates.turn("a.example", NOON) - NOON for _ in range(3)] == [
        timedelta(milliseconds=100 * number) for number in range(3)
    ]


async def test_one_domain_holds_no_more_transactions_than_agreed():
    gates, inside, most = Gates(0, 2), 0, 0

    async def one():
        nonlocal inside, most
        async with gates.through("a.example"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one() for _ in range(20)))
    assert most == 2


async def test_a_server_that_finds_us_too_fast_is_left_alone_for_a_minute(office, server, rows, clock):
    server.script.append("RCPT 421 4.7.28")
    await office.hear(a_story().accepted)
    await office.sender.send_due()
    row = (await rows())[("RECEIVED", None)]
    assert (row["state"], row["last_answer_class"]) == ("PENDING", "421")
    assert row["next_attempt_at"] >= clock() + timedelta(minutes=1)


def test_the_alarm_is_raised_when_mail_is_down_for_long_and_repeated():
    road = Road(timedelta(minutes=15))
    road.tried(NOON, reached=False)
    assert not road.open
    assert road.trouble(NOON + timedelta(minutes=14)) is None
    later = NOON + timedelta(minutes=16)
    road.tried(later, reached=False)
    assert "nothing is lost" in road.trouble(later)
    road.tried(later, reached=True)
    assert road.open
    assert road.trouble(later) is None
