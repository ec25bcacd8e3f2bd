"""What an operator does with the ledger, the same on every database it runs on."""

import asyncio

import pytest
from sqlalchemy import text

from contracts.codes import Agency
from contracts.directory import Digest, Directory, Place
from services.notifications import desk as work
from services.notifications.core.matrix import matrix
from services.notifications.core.notices import State
from services.notifications.ledger_tables import notices
from services.notifications.opening import open_ledger
from tests.notifications.offices import a_directory, a_term
from tests.notifications.story import TICKET, a_story

BKN = Place(Agency.BKN, "pusat")


@pytest.fixture
def ledger_url(database_url):
    """Everything here holds on both databases."""
    return database_url


async def states(ledger, **asked):
    return sorted(row["state"] for row in await work.listing(ledger, **asked))


async def test_mails_are_found_by_state_agency_ticket_and_the_beginning_of_their_id(office, server, clock):
    server.script.append("RCPT 550")
    await office.hear(*a_story().events, a_story(ticket="NTR-AAAA-AAAA-AAAA-0001").accepted)
    await office.settle()
    assert await states(office.ledger, case=TICKET.lower()) == ["FAILED", *["SENT"] * 5]
    assert len(await states(office.ledger, agency="BKN")) == 1
    (failed,) = await work.listing(office.ledger, states=work.TROUBLED)
    assert (await work.one(office.ledger, failed["notice_id"][:8]))["notice_id"] == failed["notice_id"]
    for wrong in ("ffffffff", "%"):
        with pytest.raises(work.Refused):
            await work.one(office.ledger, wrong)
    assert await work.retry(office.ledger, failed["notice_id"], clock()) is State.PENDING
    await office.settle()
    assert await office.ledger.counts() == {"SENT": 7}


async def test_a_mail_of_unknown_outcome_is_resolved_and_one_that_waits_suppressed(office, server, clock):
    server.script.append("drop after the dot")
    await office.hear(*a_story().events)
    await office.sender.send_due()
    (unknown,) = await work.listing(office.ledger, states=(State.UNKNOWN,))
    assert (
        await work.resolve(office.ledger, unknown["notice_id"], work.Outcome.ARRIVED, clock()) is State.SENT
    )
    for row in await work.listing(office.ledger, states=(State.PENDING,)):
        assert await work.suppress(office.ledger, row["notice_id"], clock()) is State.SUPPRESSED
    assert await office.settle() == 0
    with pytest.raises(work.Refused, match="SENT"):
        await work.retry(office.ledger, unknown["notice_id"], clock())


async def test_a_digest_that_failed_is_sent_again_with_its_parts(desk, server, clock):
    term = a_term(BKN, digest=Digest.DAILY)
    parts = desk(directory=a_directory(**{str(BKN): [term]}))
    await parts.ledger.start()
    for n in range(3):
        story = a_story(ticket=f"NTR-AAAA-AAAA-AAAA-{n:04}")
        parts.know(story)
        await parts.hear(*(offer for offer in story.offers if offer.data.agency is Agency.BKN))
    clock.move(hours=24)
    server.script.append("RCPT 550")
    await parts.settle()
    assert await parts.ledger.counts() == {"FAILED": 4}
    (digest,) = [row for row in await work.listing(parts.ledger) if row["step"] == "DIGEST"]
    await work.retry(parts.ledger, digest["notice_id"], clock())
    assert await parts.ledger.counts() == {"GATHERED": 3, "PENDING": 1}
    await parts.settle()
    assert await parts.ledger.counts() == {"SENT": 4}
    await parts.close()


async def test_two_processes_never_claim_the_same_mail(desk, clock):
    first, second = desk(), desk()
    for parts in (first, second):
        await parts.ledger.start()
    for n in range(10):
        await first.hear(a_story(ticket=f"NTR-AAAA-AAAA-AAAA-{n:04}").accepted)
    claims = await asyncio.gather(*(parts.ledger.claim(clock(), 3) for parts in (first, second) * 3))
    ids = [claim.notice.notice_id for found in claims for claim in found]
    assert len(ids) == len(set(ids)) >= 9
    for parts in (first, second):
        await parts.close()


async def test_a_ledger_of_an_earlier_version_gets_the_columns_it_lacks(office, settings):
    await office.hear(a_story().accepted)
    async with office.ledger.engine.begin() as connection:
        for column in ("turn", "gathered_in", "reader"):
            for index in ("notices_reader", "notices_gathered"):
                await connection.execute(text(f"DROP INDEX IF EXISTS {index}"))
            await connection.execute(text(f"ALTER TABLE {notices.name} DROP COLUMN {column}"))
    again = open_ledger(settings, b"key", Directory(), matrix())
    await again.start()
    (row,) = await work.listing(again)
    assert (row["turn"], row["gathered_in"], row["reader"]) == (0, None, "-")
    await again.close()
