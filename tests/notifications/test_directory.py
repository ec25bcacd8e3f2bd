"""Mail goes where the directory of offices says on the day it is sent, also when that has just changed."""

import asyncio
from datetime import date

import httpx
import pytest

from contracts.codes import Agency
from contracts.directory import WHOLE, Place, Road
from services.notifications import desk as operator
from services.notifications.app import build_app
from services.notifications.directory import DirectoryReader
from services.notifications.settings import NotificationsSettings
from services.routing.agencies.changing import Change, events_of
from services.runtime.bus import Bus
from tests.notifications.offices import DOMAIN, a_directory, a_term
from tests.notifications.story import NOON, a_story
from tests.notifications.test_app import telling
from tests.ports import free_port
from tests.running import until

BAWASLU = Place(Agency.BAWASLU, "kabkota:52.04")
OWN = f"bawaslu.kabkota-52.04@{DOMAIN}"


@pytest.fixture
async def an_office(desk):
    """Builds a started desk over a directory with other terms for some offices."""
    made = []

    async def build(**terms):
        parts = desk(directory=(directory := a_directory(**terms)))
        await parts.ledger.start()
        made.append(parts)
        parts.directory = directory
        return parts

    yield build
    for parts in made:
        await parts.close()


def readers(server):
    return {mail["To"] for mail in server.mails()} - {"warga@contoh.example"}


def to(story, place):
    """The story's offer to Bawaslu, made to another office."""
    offer = next(offer for offer in story.offers if offer.data.agency is Agency.BAWASLU)
    moved = tuple(a.model_copy(update=place._asdict()) for a in offer.data.assignments)
    return offer.model_copy(
        update={
            "data": offer.data.model_copy(update={"assignments": moved, "agency": place.agency}),
        }
    )


async def test_a_waiting_mail_goes_to_the_address_of_the_day_it_is_sent(an_office, server, clock):
    terms = [
        a_term(BAWASLU, valid_until=date(2026, 11, 24)),
        a_term(BAWASLU, valid_from=date(2026, 11, 25), duty_address="baru@bawaslu.example"),
    ]
    parts = await an_office(**{str(BAWASLU): terms})
    server.script.extend(["RCPT 451"])
    story = a_story()
    parts.know(story)
    await parts.hear(to(story, BAWASLU))
    await parts.settle()
    assert readers(server) == set()
    clock.move(days=1)
    await parts.settle()
    assert readers(server) == {"baru@bawaslu.example"}


@pytest.mark.parametrize(
    ("ended", "successor", "reader"),
    [
        (date(2026, 11, 24), "BKN/pusat", f"kasn.pusat@{DOMAIN}"),
        (date(2026, 11, 23), "BKN/pusat", f"bkn.pusat@{DOMAIN}"),
        (date(2026, 11, 23), "BKN", f"bkn.pusat@{DOMAIN}"),
    ],
)
async def test_a_body_that_ended_is_not_written_to_but_its_successor(
    an_office, server, ended, successor, reader
):
    pusat, whole = Place(Agency.KASN, "pusat"), Place(Agency.KASN, WHOLE)
    parts = await an_office(
        **{str(p): [a_term(p, valid_until=ended, successor=successor)] for p in (pusat, whole)}
    )
    story = a_story()
    parts.know(story)
    await parts.hear(to(story, pusat))
    await parts.settle()
    assert readers(server) == {reader}


async def test_an_office_without_an_address_is_written_to_at_its_body(an_office, server):
    parts = await an_office(**{str(BAWASLU): [a_term(BAWASLU, duty_address=None)]})
    story = a_story()
    parts.know(story)
    await parts.hear(to(story, BAWASLU))
    await parts.settle()
    assert readers(server) == {f"bawaslu@{DOMAIN}"}


async def test_an_office_nobody_can_write_to_is_an_operator_s_and_can_be_sent_again(an_office, server, clock):
    whole = Place(Agency.BAWASLU, WHOLE)
    parts = await an_office(**{str(p): [a_term(p, duty_address=None)] for p in (BAWASLU, whole)})
    story = a_story()
    parts.know(story)
    await parts.hear(to(story, BAWASLU))
    await parts.settle()
    (row,) = await operator.listing(parts.ledger, states=operator.TROUBLED)
    assert (row["state"], row["last_answer_class"]) == ("FAILED", "no-address")
    parts.directory.hear(BAWASLU, 2, (a_term(BAWASLU),))
    await operator.retry(parts.ledger, row["notice_id"], clock.now)
    await parts.settle()
    assert readers(server) == {OWN}


async def test_an_office_that_wants_no_e_mail_gets_none(an_office, server, rows):
    parts = await an_office(**{str(BAWASLU): [a_term(BAWASLU, channels=(Road.PULL, Road.WEBHOOK))]})
    story = a_story()
    parts.know(story)
    await parts.hear(to(story, BAWASLU))
    await parts.settle()
    assert readers(server) == set()
    (row,) = await operator.listing(parts.ledger)
    assert (row["state"], row["last_answer_class"]) == ("SKIPPED", "channels")


async def test_while_the_directory_is_not_known_mail_to_offices_waits(an_office, server, clock):
    parts = await an_office()
    known, parts.directory.entries = parts.directory.entries, {}
    await parts.hear(*a_story().events)
    await parts.settle()
    assert readers(server) == set()
    parts.directory.entries = known
    clock.move(minutes=1)
    await parts.settle()
    assert len(readers(server)) == 4


def changed(version, **fields):
    known = a_directory()
    known.versions[BAWASLU] = version - 1
    return events_of(known, [Change(BAWASLU, "CHANGED", (), (a_term(BAWASLU, **fields),))], NOON)


@pytest.mark.broker
async def test_a_changed_address_is_used_for_the_next_mail_without_a_restart(fresh_nats, server, intake):
    settings = NotificationsSettings(
        data_dir=fresh_nats.data_dir,
        nats_url=fresh_nats.settings.nats_url,
        smtp_port=server.port,
        notifications_port=free_port(),
    )
    http = httpx.AsyncClient(base_url="http://intake", transport=httpx.MockTransport(intake))
    app = build_app(settings, intake=http)
    directory = app.state.parts.offices.directory

    async def arrived(address):
        return address in readers(server)

    async def followed():
        return directory.versions.get(BAWASLU) == 2

    async with telling(fresh_nats) as tell, app.router.lifespan_context(app):
        await tell(a_story())
        await until(lambda: arrived(OWN))
        await tell.bus.tell(changed(2, duty_address="baru@bawaslu.example"))
        await until(followed)
        await tell(a_story(ticket="NTR-AAAA-AAAA-AAAA-0002"))
        await until(lambda: arrived("baru@bawaslu.example"))
    assert [mail["To"] for mail in server.mails()].count(OWN) == 1


@pytest.mark.broker
async def test_the_reader_takes_offices_and_leaves_keys_and_says_what_it_cannot_read(fresh_nats):
    reader = DirectoryReader()
    assert "netral agencies load" in reader.trouble
    async with telling(fresh_nats) as tell:
        bus = await Bus.connect(fresh_nats.settings, "notifications")
        await reader.open(bus)
        assert reader.trouble is None
        assert reader.directory.address_of(Agency.BAWASLU, "kabkota:52.04", NOON.date()) == OWN
        await tell.bus.js.publish("agencies.BKN.pusat.99", b'{"type": "id.netral.agency.changed.v9"}')
        await tell.bus.tell(changed(2, duty_address="baru@bawaslu.example"))
        following = asyncio.create_task(reader.follow(bus))

        async def followed():
            return reader.directory.versions[BAWASLU] == 2

        await until(followed)
        assert "cannot be read" in reader.trouble
        following.cancel()
        await bus.close()
