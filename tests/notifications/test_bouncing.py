"""What comes back through the LMTP door changes the mail it names, and nobody is unsubscribed in silence."""

import smtplib

import pytest

from services.notifications.core.bounces import bounce_address
from tests.notifications.conftest import KEY
from tests.notifications.core.test_bounces import a_mail, report
from tests.notifications.story import a_story
from tests.ports import free_port


@pytest.fixture
def ledger_url(database_url):
    """Everything here holds on both databases."""
    return database_url


@pytest.fixture
async def door(office):
    import asyncio

    port = free_port()
    server = await office.bounces.open(port)

    async def leave(raw, *, to=None, sender=""):
        def talk():
            with smtplib.LMTP("127.0.0.1", port) as client:
                return client.sendmail(sender, [to], raw)

        try:
            return await asyncio.to_thread(talk)
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients

    yield leave
    server.close()


async def sent(office, bus, *events):
    await office.hear(*events)
    await office.settle()
    await office.teller.tell_endings()


def back(settings, row):
    from uuid import UUID

    return bounce_address(settings.bounces_to, UUID(row["notice_id"]), KEY)


async def test_every_mail_has_an_envelope_of_its_own(office, server, settings, rows):
    story = a_story()
    await office.hear(*story.events)
    await office.settle()
    senders = set(server.senders)
    assert len(senders) == len(server.arrived) == 6
    assert all(sender.startswith("bounces+") and sender.endswith("@netral.invalid") for sender in senders)


async def test_an_official_mailbox_that_bounces_is_told_and_goes_on_getting_mail(
    office, server, settings, rows, bus, door
):
    story = a_story()
    await sent(office, bus, *story.events)
    row = (await rows())[("OFFERED", "BAWASLU")]
    assert await door(report("failed", "5.1.1"), to=back(settings, row)) == {}
    row = (await rows())[("OFFERED", "BAWASLU")]
    assert (row["state"], row["last_answer_class"]) == ("BOUNCED", "dsn 5.1.1")
    await office.teller.tell_endings()
    told = [e.data for e in bus.events.values() if str(e.data.notice_id) == row["notice_id"]]
    assert sorted((data.turn, data.outcome) for data in told) == [(0, "SENT"), (1, "BOUNCED")]
    known = len(server.arrived)
    await office.hear(story.due("OVERDUE"), story.step(1, "RETURN", by="BKN", office="pusat"))
    await office.settle()
    assert len(server.arrived) == known + 2


async def test_a_reporter_whose_address_is_dead_gets_no_more_news_but_what_must_be_said(
    office, server, settings, rows, bus, door
):
    story = a_story()
    await sent(office, bus, *story.events)
    await door(report("failed", "5.1.1"), to=back(settings, (await rows())[("RECEIVED", None)]))
    known = len(server.arrived)
    await office.hear(
        story.step(1, "STUDY_CONCLUDED", result="NO_BREACH"),
        story.step(2, "STUDY_CONCLUDED", result="REPAIR_NEEDED"),
    )
    await office.settle()
    to_reporter = [m["X-Netral-Letter"] for m in server.mails()[known:] if m["To"] == "warga@contoh.example"]
    assert to_reporter == ["1/repair"]


async def test_a_full_mailbox_is_tried_again_later(office, server, settings, rows, bus, door, clock):
    await sent(office, bus, a_story().accepted)
    await door(report("failed", "5.2.2"), to=back(settings, (await rows())[("RECEIVED", None)]))
    assert (await rows())[("RECEIVED", None)]["state"] == "PENDING"
    clock.move(minutes=31)
    await office.settle()
    first, second = server.mails()
    assert first["Message-ID"] == second["Message-ID"]
    clock.move(days=4)
    await door(report("failed", "5.2.2"), to=back(settings, (await rows())[("RECEIVED", None)]))
    assert (await rows())[("RECEIVED", None)]["state"] == "BOUNCED"


async def test_a_report_of_delivery_resolves_an_unknown_outcome(
    office, server, settings, rows, bus, door, clock
):
    server.script.append("drop after the dot")
    await sent(office, bus, a_story().accepted)
    assert (await rows())[("RECEIVED", None)]["state"] == "UNKNOWN"
    await door(report("delivered", "2.0.0"), to=back(settings, (await rows())[("RECEIVED", None)]))
    assert (await rows())[("RECEIVED", None)]["state"] == "SENT"
    clock.move(days=1)
    assert await office.sender.send_due() == 0


@pytest.mark.parametrize("sender", ["", "orang@example.go.id"])
async def test_answers_change_nothing_and_are_never_answered(
    office, server, settings, rows, bus, door, sender
):
    await sent(office, bus, a_story().accepted)
    known = len(server.arrived)
    row = (await rows())[("RECEIVED", None)]
    assert await door(a_mail(Auto_Submitted="auto-replied"), to=back(settings, row), sender=sender) == {}
    assert await door(a_mail(), to=back(settings, row), sender=sender) == {}
    assert (await rows())[("RECEIVED", None)]["state"] == "SENT"
    assert len(server.arrived) == known


async def test_a_forged_bounce_address_is_refused_at_the_door(office, bus, door, settings):
    forged = settings.bounces_to.replace("@", "+aaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaa@")
    refused = await door(report("failed", "5.1.1"), to=forged)
    assert refused[forged][0] == 550


async def test_a_bounce_that_comes_before_our_own_record_stands(office, server, settings, rows, clock):
    from uuid import UUID

    from services.notifications.bouncing import came_back
    from services.notifications.core.bounces import Fate, Returned
    from services.notifications.core.notices import State
    from services.notifications.core.retries import Step

    await office.hear(a_story().accepted)
    (claim,) = await office.ledger.claim(clock(), 1)
    row = (await rows())[("RECEIVED", None)]
    await came_back(office.ledger, UUID(row["notice_id"]), Returned(Fate.FAILED, "5.1.1"), clock())
    await office.ledger.finish(claim, Step(State.SENT, "250"), clock())
    assert (await rows())[("RECEIVED", None)]["state"] == "BOUNCED"
