"""Simulated recipients, and a letter about a webhook: through the real services, the local inbox and the bounce door."""

import asyncio

import pytest

from contracts.codes import Agency
from contracts.directory import Directory, Entries
from services.notifications import desk
from services.notifications.core.matrix import matrix
from services.notifications.opening import open_ledger
from services.notifications.settings import NotificationsSettings
from services.routing.agencies.changing import changes, events_of
from services.runtime.clock import now
from services.runtime.messaging import Bus
from tests.conftest import Broker
from tests.notifications.offices import entries
from tests.notifications.story import NOON, a_story, an_alarm
from tests.ports import free_port
from tests.running import Processes, until

pytestmark = pytest.mark.broker
BECOMES = {
    Agency.BAWASLU: ("delivers", ("SENT", "250")),
    Agency.BKN: ("bounces", ("BOUNCED", "dsn 5.1.1")),
    Agency.KEMENDAGRI: ("refused", ("FAILED", "550")),
    Agency.KEMENPANRB: ("temporary", ("PENDING", "451")),
}


def simulated() -> Entries:
    """The directory of the stories, but every desk of a body does what its name says."""
    return {
        place: tuple(
            term.model_copy(update={"duty_address": f"simulated-{BECOMES[place.agency][0]}@kantor.example"})
            for term in terms
        )
        for place, terms in entries().items()
        if place.agency in BECOMES
    }


async def test_mail_to_simulated_recipients_arrives_bounces_is_refused_or_put_off(fresh_nats: Broker) -> None:
    bounces = free_port()
    services = Processes(fresh_nats, extra={"NETRAL_BOUNCE_PORT": str(bounces)})
    bus = await Bus.connect(fresh_nats.settings, "routing")
    story = a_story()
    await bus.tell(events_of(Directory(), changes(Directory(), simulated()), NOON))
    await bus.tell([story.decided, *story.offers])
    await bus.tell([an_alarm().model_copy(update={"time": now()})])
    await bus.close()
    reporter = await Bus.connect(fresh_nats.settings, "intake")
    await reporter.tell([story.accepted])
    await reporter.close()
    settings = NotificationsSettings(data_dir=fresh_nats.data_dir)

    async def as_named() -> bool:
        ledger = open_ledger(settings, b"", Directory(), matrix())
        try:
            rows = await desk.listing(ledger)
        finally:
            await ledger.close()
        found = {
            (row["agency"], row["step"]): (row["state"], row["last_answer_class"])
            for row in rows
            if row["agency"]
        }
        offered = {(agency, "OFFERED"): ends for agency, (_, ends) in BECOMES.items()}
        return found == {**offered, ("BAWASLU", "WEBHOOK"): ("SENT", "250")}

    try:
        services.start("smtp")
        services.start("notifications")
        await services.ready("notifications")
        await until(as_named)
    finally:
        await asyncio.to_thread(services.stop)
