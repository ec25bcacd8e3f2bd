"""The checker compares the queue of webhooks with the log: nothing of a true system, every planted difference."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.receivers import Receivers
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.clock import now
from services.runtime.reading import page_of
from tests.cli.verify.lying import Lie, each_is_named
from tests.cli.verify.planting import kinds, sentences
from tests.cli.verify.test_databases import played
from tests.conftest import Broker
from tests.routing.delivery.receiving import served
from tests.routing.test_webhooks_api import ask, deliveries, registered
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker
NOBODY = "'00000000-0000-5000-8000-000000000001'"
SENT = "state = 'DELIVERED'"
WAITS = "state = 'PENDING'"
LATER = "datetime(told_at, '+1 day')"
LIES: tuple[Lie, ...] = (
    ("webhook-missing", f"DELETE FROM deliveries WHERE {SENT}", "is not queued for it"),
    ("webhook-missing", f"DELETE FROM deliveries WHERE {WAITS}", "is not queued for it"),
    ("webhook-row", f"UPDATE deliveries SET delivery_id = {NOBODY} WHERE rowid = 1", "has another id than"),
    (
        "webhook-row",
        f"UPDATE deliveries SET endpoint_id = {NOBODY} WHERE {WAITS}",
        "which was never registered",
    ),
    ("webhook-row", f"UPDATE deliveries SET event_id = {NOBODY} WHERE {SENT}", "which nobody was told"),
    (
        "webhook-row",
        "UPDATE deliveries SET endpoint_id = (SELECT endpoint_id FROM endpoints WHERE agency = 'BAWASLU')"
        f" WHERE {SENT}",
        "was told, not the holder of its endpoint",
    ),
    ("webhook-row", f"UPDATE deliveries SET agency = 'POLRI' WHERE {SENT}", "another agency than its event"),
    ("webhook-row", f"UPDATE deliveries SET office = 'pusat' WHERE {SENT}", "another office than its event"),
    ("webhook-row", f"UPDATE deliveries SET case_id = {NOBODY} WHERE {SENT}", "another case_id than its"),
    ("webhook-row", f"UPDATE deliveries SET type = 'x' WHERE {SENT}", "another type than its event"),
    ("webhook-row", f"UPDATE deliveries SET told_at = {LATER} WHERE {SENT}", "another time than its event"),
    (
        "webhook-row",
        f"UPDATE deliveries SET body = json_set(body, '$.data.region', 'x') WHERE {SENT}",
        "another body than its event",
    ),
    ("webhook-row", f"UPDATE deliveries SET body = 'x' WHERE {SENT}", "holds what is none of ours"),
    ("webhook-row", f"UPDATE deliveries SET body = '' WHERE {WAITS}", "is PENDING without a body"),
    ("webhook-row", f"UPDATE deliveries SET state = 'x' WHERE {WAITS}", "in the state x, which there is not"),
    (
        "webhook-row",
        f"UPDATE deliveries SET ended_at = NULL WHERE {SENT}",
        "is DELIVERED, and no end is noted",
    ),
    ("webhook-row", f"UPDATE deliveries SET state = 'SENDING' WHERE {WAITS}", "nobody looks at it again"),
    ("webhook-row", f"UPDATE deliveries SET state = 'HELD' WHERE {WAITS}", "its endpoint is in use"),
    (
        "webhook-row",
        "UPDATE deliveries SET state = 'PENDING' WHERE state = 'HELD'",
        "its endpoint is DISABLED",
    ),
    ("webhook-row", f"UPDATE deliveries SET tries = 0 WHERE {WAITS}", "after 0 tries, of which 1 are noted"),
    ("webhook-row", "DELETE FROM attempts", "is DELIVERED after 1 tries, of which 0 are noted"),
    ("webhook-endpoint", "DELETE FROM endpoints WHERE agency = 'BKN'", "and the queue knows 0"),
    ("webhook-endpoint", "UPDATE endpoints SET number = 1 WHERE agency = 'BKN'", "and the queue knows 1"),
    (
        "webhook-endpoint",
        "UPDATE endpoints SET number = 7 WHERE agency = 'BKN'",
        "the stream has no change 7",
    ),
    (
        "webhook-endpoint",
        "UPDATE endpoints SET agency = 'PPK' WHERE agency = 'BKN'",
        "otherwise than its change 2",
    ),
    ("webhook-endpoint", "UPDATE endpoints SET office = 'pusat'", "otherwise than its change 2"),
    ("webhook-endpoint", "UPDATE endpoints SET state = 'DISABLED'", "otherwise than its change 2"),
    (
        "webhook-endpoint",
        "UPDATE endpoints SET proved_at = datetime(proved_at, '+1 day')",
        "otherwise than its",
    ),
    (
        "webhook-endpoint",
        "UPDATE endpoints SET event = json_set(event, '$.data.url', 'x')",
        "otherwise than its change 2",
    ),
    (
        "webhook-endpoint",
        "UPDATE endpoints SET event = 'x' WHERE agency = 'BKN'",
        "otherwise than its change 2",
    ),
    ("webhook-alarm", f"UPDATE alarms SET alarm_id = {NOBODY} WHERE alarm = 'GONE'", "was told to nobody"),
)


async def test_the_queue_of_a_true_system_agrees_and_every_difference_is_named(
    fresh_nats: Broker, judge: Judge
) -> None:
    bus, folder = await Bus.connect(fresh_nats.settings, "operator"), fresh_nats.data_dir
    receivers, clock = Receivers(), Clock(now() - timedelta(minutes=10))
    opened = {"webhook_unsafe_loopback": True}
    async with (
        served(receivers) as port,
        in_process(fresh_nats, judge=judge, clock=clock, routing=opened) as system,
    ):
        for who, way in (("BKN", "ok"), ("BAWASLU", "error"), ("BAWASLU", "gone")):
            await registered(system, f"http://127.0.0.1:{port}/{way}", who)
        clock.at = now()
        await played(system, bus)
        await until(lambda: settled(system, bus))
    assert await kinds(bus, folder, now()) == {}
    await each_is_named(bus, folder / "deliveries.db", LIES, now() + timedelta(minutes=11))
    await each_odd_change_is_named(bus, folder)
    await bus.close()


async def each_odd_change_is_named(bus: Bus, folder: Path) -> None:
    (change, *_) = await page_of(bus, "WEBHOOKS", 1, most=1)
    event = json.loads(change.body)
    root = change.subject.rpartition(".")[0]
    odd = {
        "wrong-subject": event,
        "wrong-envelope": {**event, "id": event["data"]["endpoint_id"]},
        "unreadable": {**event, "data": {**event["data"], "state": "x"}},
    }
    for number, (kind, lie) in enumerate(odd.items(), 7):
        data = {**lie["data"], "number": number} if kind != "wrong-subject" else lie["data"]
        await bus.js.publish(f"{root}.{number}", json.dumps({**lie, "data": data}).encode())
        assert kind in await kinds(bus, folder, now()), kind
    none_of_ours = {f"{root}.9999": b"\x00", "webhooks.x": b"{}", "told.BKN.any.x.due.1": b'{"id": "x"}'}
    for subject, body in none_of_ours.items():
        await bus.js.publish(subject, body)
        assert f"({subject}) is no event of ours" in str(await sentences(bus, folder, now()))


async def settled(system: System, bus: Bus) -> bool:
    """All told is queued and was tried; who said that it is gone was stopped, and a person heard of it."""
    if (await bus.js.consumer_info("TOLD", "routing-deliveries")).num_pending:
        return False
    endpoints = (await ask(system, "GET", "/webhooks", "OPERATOR")).json()["endpoints"]
    rows = await deliveries(system, "OPERATOR", limit="200")
    told = (await bus.js.stream_info("WEBHOOKS", subjects_filter="webhooks.*.alarm.>")).state.subjects or {}
    tried = all(row["tries"] or row["state"] == "HELD" for row in rows)
    return tried and bool(told) and {one["state"] for one in endpoints} == {"ACTIVE", "DISABLED"}
