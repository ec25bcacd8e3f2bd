"""What is queued is delivered, retried, parked, held and replayed, with one id for ever; and others never wait."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.receiver.signing import key_of, verify
from contracts.webhooks import EndpointChange, EndpointState
from deploy.local.receivers import Receivers
from services.routing.core.deliveries import SCHEDULE
from services.routing.delivery.claims import Claims
from services.routing.delivery.questions import Wanted
from services.routing.delivery.queue import Told
from services.routing.delivery.signing_keys import rotated
from tests.plans import plans
from tests.routing.delivery.pushing import Desk, StandingBus, desk
from tests.routing.delivery.receiving import served
from tests.running import Clock, until


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
async def url(receivers: Receivers) -> AsyncIterator[str]:
    async with served(receivers) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, webhook_timeout=30) as made:
        yield made


async def test_both_databases_queue_deliver_park_and_replay(
    tmp_path: Path, receivers: Receivers, url: str, database_url: str
) -> None:
    async with desk(tmp_path, deliveries_url=database_url) as office:
        await office.endpoint(f"{url}/error")
        await office.tell(number=12)
        await office.round()
        await office.round()
        office.move(seconds=31)
        assert await office.round() == 1, "a probe"
        receivers.statuses["/error"] = 200
        office.move(hours=1)
        while await office.round():
            pass
        rows = await office.deliveries(since=Clock().at)
        assert {row["state"] for row in rows} == {"DELIVERED"}
        assert await office.push.questions.replay(Wanted(ids=(rows[0]["delivery_id"],)), "k") == 1
        assert await office.round() == 1
        await office.look()
        assert office.bus.alarms() == [("BKN", "PARKED")]


async def test_no_delivery_costs_more_because_others_wait(office: Desk, url: str) -> None:
    await office.endpoint(f"{url}/ok")
    await office.tell(number=5)
    with plans(office.push.store.engine) as found:
        while await office.round():
            pass
    assert [line for line in found if "deliveries" in line]
    through_a_state = [line for line in found if line.endswith("(state=?)")]
    assert not [line for line in through_a_state if "deliveries" in line]


async def test_an_event_reaches_the_endpoint_signed_and_thin(
    office: Desk, receivers: Receivers, url: str
) -> None:
    endpoint = await office.endpoint(f"{url}/ok")
    await office.tell()
    assert await office.round() == 1
    (heard,) = receivers.on("/ok")
    shown = key_of(office.push.keys.shown(endpoint))
    assert (
        verify(heard.headers, heard.body, [shown], office.clock()).message_id
        == heard.headers["idempotency-key"]
    )
    assert len(heard.body) < 20_000
    assert json.loads(heard.body)["type"] == "id.netral.agency.due.v1"
    row = await office.only()
    assert (row["state"], row["delivery_id"], row["outcome"]) == ("DELIVERED", heard.message_id, "200")


async def test_an_endpoint_hears_what_its_holder_s_inbox_shows_and_nothing_else(
    office: Desk, receivers: Receivers, url: str
) -> None:
    await office.endpoint(f"{url}/ok/all", "BAWASLU")
    await office.endpoint(f"{url}/ok/one", "BAWASLU", "kabkota:16.07")
    await office.endpoint(f"{url}/ok/other", "BKN")
    await office.tell("BAWASLU", "kabkota:16.07")
    await office.tell("BAWASLU", "kabkota:52.04")
    await office.tell("BAWASLU", None)
    await office.round()
    assert [len(receivers.on(f"/ok/{name}")) for name in ("all", "one", "other")] == [3, 1, 0]
    assert len({heard.message_id for heard in receivers.heard}) == 4


async def test_the_same_event_again_is_no_new_delivery(office: Desk, receivers: Receivers, url: str) -> None:
    await office.endpoint(f"{url}/ok")
    await office.tell()
    office.told = 0
    await office.tell()
    await office.round()
    assert len(receivers.on("/ok")) == 1


async def test_what_was_told_before_an_endpoint_was_proved_is_not_pushed(office: Desk, url: str) -> None:
    await office.tell()
    office.move(seconds=1)
    await office.endpoint(f"{url}/ok")
    office.told = 0
    event = office.event("BKN", None, 1).model_copy(update={"time": office.clock() - timedelta(seconds=1)})
    await office.push.queue.keep_all([Told(1, event)])
    assert await office.deliveries() == []


async def test_an_endpoint_that_was_proved_by_a_clock_that_ran_ahead_is_told_what_comes(
    office: Desk, receivers: Receivers, url: str
) -> None:
    office.move(days=40)
    await office.endpoint(f"{url}/ok")
    office.move(days=-40)
    await office.tell()
    await office.round()
    assert len(receivers.on("/ok")) == 1


async def test_the_whole_schedule_is_walked_with_one_id_and_ends_held(
    office: Desk, receivers: Receivers, url: str
) -> None:
    await office.endpoint(f"{url}/error")
    await office.tell()
    started, pauses = office.clock(), []
    for number in range(1, 11):
        before = office.clock()
        assert await office.round() == 1
        row = await office.only()
        assert (row["spent"], row["tries"]) == (number, number)
        assert await office.round() == 0, "nothing is tried before its time"
        office.clock.at = row["next_attempt_at"]
        pauses.append(office.clock() - before)
    for found, wanted in zip(pauses[:-1], SCHEDULE[1:], strict=True):
        assert 0.8 * wanted <= found <= 1.2 * wanted
    assert row["state"] == "HELD"
    assert timedelta(hours=60) < office.clock() - started < timedelta(hours=91)
    assert len({heard.message_id for heard in receivers.on("/error")}) == 1
    assert len({heard.headers["webhook-timestamp"] for heard in receivers.on("/error")}) == 10
    office.move(days=30)
    assert await office.round() == 0
    await office.look()
    assert ("BKN", "HELD") in office.bus.alarms()


async def test_a_delivery_put_off_by_a_clock_that_ran_ahead_is_tried_when_it_is_set_back(
    office: Desk, receivers: Receivers, url: str
) -> None:
    await office.endpoint(f"{url}/error")
    await office.tell()
    office.move(days=9)
    assert await office.round() == 1
    office.move(days=-9)
    await office.push.claims.reap()
    assert await office.round() == 1


async def test_a_claim_by_a_clock_that_ran_ahead_is_given_back_when_nothing_came_of_it_for_a_lease(
    office: Desk, receivers: Receivers, url: str
) -> None:
    """Its worker died, beside others over one database."""
    await office.endpoint(f"{url}/ok")
    await office.tell()
    ticks = iter((0.0, 59.0, 60.0))
    claims = Claims(office.push.store, office.clock, ticks=lambda: next(ticks))
    office.move(days=40)
    assert len(await claims.take(lambda _: 10)) == 1
    office.move(days=-40)
    assert [await claims.reap() for _ in range(3)] == [0, 0, 1]
    assert await office.round() == 1
    assert (await office.only())["state"] == "DELIVERED"


async def test_a_held_delivery_is_replayed_under_its_id_and_goes_to_the_new_address(
    office: Desk, receivers: Receivers, url: str
) -> None:
    endpoint = await office.endpoint(f"{url}/error")
    await office.tell()
    for _ in SCHEDULE:
        await office.round()
        office.clock.at = (await office.only())["next_attempt_at"]
    held = await office.only()
    changed = {"url": f"{url}/ok", "state": EndpointState.ACTIVE}
    await office.push.endpoints.change(endpoint, EndpointChange.MOVED, "BKN", **changed)
    await office.round()
    (heard,) = receivers.on("/ok")
    assert heard.message_id == held["delivery_id"]


async def test_replaying_by_id_state_or_time_is_done_once_for_a_key(
    office: Desk, receivers: Receivers, url: str
) -> None:
    await office.endpoint(f"{url}/ok")
    await office.tell()
    office.move(hours=1)
    middle = office.clock()
    await office.tell()
    await office.round()
    first, second = await office.deliveries()
    questions = office.push.questions
    assert await questions.replay(Wanted(ids=(first["delivery_id"],)), "k") == 1
    assert await questions.replay(Wanted(ids=(first["delivery_id"],)), "k") == 1
    assert await office.round() == 1
    assert await questions.replay(Wanted(since=middle), None) == 1
    await office.round()
    assert await questions.replay(Wanted(state="DELIVERED"), None) == 2
    assert await questions.replay(Wanted(agency="PPK"), None) == 0
    await office.round()
    heard = [heard.message_id for heard in receivers.on("/ok")]
    assert [heard.count(row["delivery_id"]) for row in (first, second)] == [3, 3]


async def test_gone_disables_tells_a_human_and_holds_what_comes(
    office: Desk, receivers: Receivers, url: str
) -> None:
    endpoint = await office.endpoint(f"{url}/gone")
    await office.tell(number=20)
    await office.round()
    await office.round()
    await office.look()
    await office.look()
    assert office.bus.alarms().count(("BKN", "GONE")) == 1
    found = await office.push.endpoints.find(str(endpoint.endpoint_id))
    assert found is not None
    assert found.state is EndpointState.DISABLED
    await office.tell()
    assert {row["state"] for row in await office.deliveries()} == {"HELD"}
    assert len(receivers.on("/gone")) == 8
    assert await office.round() == 0
    receivers.statuses["/gone"] = 200
    await office.push.endpoints.change(found, EndpointChange.PROVED, "BKN", state=EndpointState.ACTIVE)
    while await office.round():
        pass
    assert {row["state"] for row in await office.deliveries()} == {"DELIVERED"}


async def test_the_first_lapsed_key_is_told_at_once_and_only_once(
    office: Desk, receivers: Receivers, url: str
) -> None:
    await office.endpoint(f"{url}/denied")
    await office.tell(number=2)
    await office.round()
    await office.look()
    office.move(hours=1)
    await office.round()
    await office.look()
    assert office.bus.alarms() == [("BKN", "REFUSED")]
    assert {row["state"] for row in await office.deliveries()} == {"PENDING"}
    receivers.statuses["/denied"] = 200
    office.move(hours=2)
    await office.round()
    assert {row["state"] for row in await office.deliveries()} == {"DELIVERED"}


async def test_an_endpoint_that_only_fails_is_parked_and_probed_without_spending_attempts(
    office: Desk, receivers: Receivers, url: str
) -> None:
    endpoint = await office.endpoint(f"{url}/error")
    await office.tell(number=30)
    await office.round()
    await office.round()
    assert len(receivers.on("/error")) == 16
    assert await office.round() == 0, "parked"
    spent = sum(row["spent"] for row in await office.deliveries())
    for pause in (30, 60, 120, 300, 300):
        office.move(seconds=pause + 1)
        assert await office.round() == 1, "one probe"
        assert await office.round() == 0
    assert sum(row["spent"] for row in await office.deliveries()) == spent
    await office.look()
    assert office.bus.alarms() == [("BKN", "PARKED")]
    overview = (await office.push.questions.overview([str(endpoint.endpoint_id)]))[str(endpoint.endpoint_id)]
    assert overview["health"].open
    receivers.statuses["/error"] = 200
    office.move(seconds=301)
    assert await office.round() == 1
    while await office.round():
        pass
    office.move(hours=1)
    while await office.round():
        pass
    assert {row["state"] for row in await office.deliveries()} == {"DELIVERED"}
    assert await office.look() is None
    assert office.bus.alarms() == [("BKN", "PARKED")]


async def test_five_days_of_only_failures_suspend_also_over_a_restart_and_go_on_queueing(
    tmp_path: Path, receivers: Receivers, url: str
) -> None:
    clock, bus = Clock(), StandingBus()
    async with desk(tmp_path, clock, bus) as office:
        endpoint = await office.endpoint(f"{url}/error")
        await office.tell()
        await office.round()
        told = office.told
    clock.at += timedelta(days=5)
    async with desk(tmp_path, clock, bus) as office:
        office.told = told
        await office.look()
        found = await office.push.endpoints.find(str(endpoint.endpoint_id))
        assert found is not None
        assert found.state is EndpointState.SUSPENDED
        assert bus.alarms() == [("BKN", "SUSPENDED")]
        await office.tell(number=3)
        assert [row["state"] for row in await office.deliveries()] == ["HELD"] * 4
        receivers.statuses["/error"] = 200
        await office.push.endpoints.change(found, EndpointChange.PROVED, "BKN", state=EndpointState.ACTIVE)
        assert await office.round() == 4


async def test_a_worker_that_died_between_post_and_record_sends_again_under_the_same_id(
    tmp_path: Path, receivers: Receivers, url: str
) -> None:
    clock, bus = Clock(), StandingBus()
    async with desk(tmp_path, clock, bus) as office:
        await office.endpoint(f"{url}/slow?seconds=0.2")
        await office.tell()
        assert await office.push.sender.begin() == 1

        async def heard() -> bool:
            return len(receivers.on("/slow")) == 1

        await until(heard)
        for task in office.push.sender._tasks:
            task.cancel()
    async with desk(tmp_path, clock, bus) as office:
        assert await office.round() == 0, "its lease runs"
        assert await office.push.claims.reap() == 0
        office.move(seconds=60)
        assert await office.push.claims.reap() == 1
        assert await office.round() == 1
        row = await office.only()
        assert (row["state"], row["tries"], row["spent"]) == ("DELIVERED", 2, 1)
    assert len(receivers.on("/slow")) == 2
    assert len({heard.message_id for heard in receivers.on("/slow")}) == 1


async def test_a_rotated_key_signs_beside_the_old_one_and_then_alone(
    office: Desk, receivers: Receivers, url: str
) -> None:
    endpoint = await office.endpoint(f"{url}/ok")
    old = key_of(office.push.keys.shown(endpoint))
    keys = rotated(endpoint.keys, office.clock(), timedelta(hours=24))
    changed = await office.push.endpoints.change(endpoint, EndpointChange.ROTATED, "BKN", keys=keys)
    new = key_of(office.push.keys.shown(changed))
    assert new != old
    await office.tell()
    await office.round()
    heard = receivers.on("/ok")[0]
    assert verify(heard.headers, heard.body, [old], office.clock())
    assert verify(heard.headers, heard.body, [new], office.clock())
    office.move(hours=24)
    await office.tell()
    await office.round()
    heard = receivers.on("/ok")[1]
    assert verify(heard.headers, heard.body, [new], office.clock())
    assert len(heard.headers["webhook-signature"].split()) == 1
    alone = rotated(changed.keys, office.clock(), timedelta())
    assert [key.number for key in alone] == [3]


async def test_nothing_secret_lies_in_the_database_or_in_an_event(
    tmp_path: Path, office: Desk, receivers: Receivers, url: str
) -> None:
    endpoint = await office.endpoint(f"{url}/ok")
    private = office.push.keys.valid(endpoint, office.clock())[0]
    shown = office.push.keys.shown(endpoint)
    await office.tell()
    await office.round()
    files = b"".join(path.read_bytes() for path in tmp_path.glob("deliveries.db*"))
    told = " ".join(event.model_dump_json() for event in office.bus.events.values())
    assert private.seed not in files  # type: ignore[union-attr]
    assert shown.encode() not in files
    assert shown not in told


async def test_a_dead_a_slow_and_a_lying_agency_delay_nobody(
    office: Desk, receivers: Receivers, url: str
) -> None:
    """By counts, not by times: while others hang, the fast agency has all its deliveries before one of theirs ends."""
    await office.endpoint(f"{url}/slow?seconds=60", "BKN")
    await office.endpoint("http://127.0.0.1:1/dead", "PPK")
    await office.endpoint(f"{url}/lying", "KPU")
    await office.endpoint(f"{url}/ok", "BAWASLU")
    for agency in ("BKN", "PPK", "KPU", "BAWASLU"):
        await office.tell(agency, number=200 if agency == "BAWASLU" else 50)
    running = asyncio.create_task(office.push.sender.run())

    async def fast_done() -> bool:
        return len(await office.deliveries(agency="BAWASLU", state="DELIVERED")) == 200

    await until(fast_done)
    assert await office.deliveries(agency="BKN", state="DELIVERED") == []
    assert len(receivers.on("/slow")) == 8, "its own bulkhead is full, and nobody else's"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await office.push.sender.stop(0)
    every = await office.deliveries()
    assert len(every) == 350, "nothing is lost"
    assert {row["state"] for row in every if row["agency"] == "PPK"} == {"PENDING"}
