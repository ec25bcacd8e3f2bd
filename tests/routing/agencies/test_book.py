"""Who changes keys or offices hears of it at once, whatever the copy of the stream that answers holds by then."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.codes import Agency
from contracts.directory import Place
from services.routing.agencies.book import Book
from services.routing.agencies.csv_file import packaged
from services.routing.agencies.issuing import event_of, issued, revoked
from services.runtime.bus import Bus
from tests.behind import Behind
from tests.conftest import Broker
from tests.running import Clock

pytestmark = pytest.mark.broker
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


async def test_a_key_opens_at_once_and_is_revoked_at_once_although_a_copy_is_behind(
    fresh_nats: Broker,
) -> None:
    bus, book = await Bus.connect(fresh_nats.settings, "routing"), Book(Clock())
    behind = Behind(bus.nc)
    key = issued("ntr_secret", "BKN", None, ("read",), NOW, NOW + timedelta(days=1))
    await book.tell(behind, [event_of(key, NOW)])
    assert book.ring.bearer("ntr_secret", NOW)
    await book.tell(behind, [event_of(revoked(key, NOW), NOW)])
    assert book.ring.bearer("ntr_secret", NOW) is None
    await bus.close()


async def test_offices_are_changed_once_although_a_copy_is_behind(fresh_nats: Broker) -> None:
    bus, book = await Bus.connect(fresh_nats.settings, "routing"), Book(Clock())
    place = Place(Agency.BKN, "pusat")
    wanted = {place: packaged()[place]}
    assert [change.place for change in await book.load(Behind(bus.nc), wanted)] == [place]
    assert book.directory.versions == {place: 1}
    await bus.close()
