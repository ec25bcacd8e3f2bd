"""What can never succeed is parked with its reason, listed, and replayed once it can."""

import asyncio
import json
from uuid import UUID

import pytest
from nats.js import JetStreamContext

from contracts.topology import CONSUMERS
from deploy.streams import add_consumer
from services.routing.core.decide import Judge
from services.routing.parking import Parked, drop, list_parked, park_what_was_given_up, replay
from services.runtime.bus import Bus
from services.runtime.failures import park
from tests.builders import a_report
from tests.conftest import Broker
from tests.running import in_process, until

pytestmark = pytest.mark.broker
REPORT = UUID(int=99)


async def waiting(js: JetStreamContext, count: int) -> list[Parked]:
    """Letters but those of intake, which compares reports, parks the same garbage for itself."""

    async def there() -> list[Parked] | None:
        found = [letter for letter in await list_parked(js) if letter.consumer != "intake-matching"]
        return found if len(found) == count else None

    return list(await until(there))


@pytest.mark.parametrize("poison", [b"{", b'{"kanari": "rahasia"}', b"\xff\xfe", b"[]"])
async def test_a_poison_message_is_parked_at_its_first_delivery_without_repeating_it(
    fresh_nats: Broker, judge: Judge, poison: bytes
) -> None:
    operator = await Bus.connect(fresh_nats.settings, "operator")
    async with in_process(fresh_nats, judge=judge):
        await operator.js.publish(f"reports.{REPORT}.accepted", poison)
        (letter,) = await waiting(operator.js, 1)
    assert (letter.stream, letter.consumer, letter.deliveries) == ("REPORTS", "routing", 1)
    assert letter.subject == f"reports.{REPORT}.accepted"
    assert "not a message of ours" in letter.reason
    assert "rahasia" not in letter.reason
    await operator.close()


async def test_what_lies_parked_is_not_parked_again_when_a_durable_begins_anew(
    fresh_nats: Broker, judge: Judge
) -> None:
    operator = await Bus.connect(fresh_nats.settings, "operator")
    config = (await operator.js.stream_info("PARKED")).config
    config.duplicate_window = 0.1
    await operator.js.update_stream(config)
    async with in_process(fresh_nats, judge=judge):
        await operator.js.publish(f"reports.{REPORT}.accepted", b"{")
        await waiting(operator.js, 1)
        await operator.js.delete_consumer("REPORTS", "routing")
        await add_consumer(operator.js, next(c for c in CONSUMERS if c.name == "routing"))

        async def read_again() -> bool:
            return bool((await operator.js.consumer_info("REPORTS", "routing")).ack_floor.stream_seq)

        await until(read_again)
        await waiting(operator.js, 1)
    await operator.close()


@pytest.mark.parametrize(
    ("user", "durable"),
    [("routing", "routing"), ("intake", "intake-matching"), ("notifications", "notifications-received")],
)
async def test_another_message_of_the_same_number_is_parked_beside_the_first(
    fresh_nats: Broker, user: str, durable: str
) -> None:
    """As after a stream was lost and made anew; by everybody who parks, with the rights they have."""
    service, operator = [await Bus.connect(fresh_nats.settings, name) for name in (user, "operator")]
    where = {"stream": "REPORTS", "consumer": durable, "seq": 1, "deliveries": 1, "reason": "tried"}
    for body in (b"one", b"two", b"two"):
        await park(service.js, body, subject="reports.x.accepted", **where)
    assert len(await list_parked(operator.js)) == 2
    for bus in (service, operator):
        await bus.close()


async def test_a_poison_message_holds_up_nobody(fresh_nats: Broker, judge: Judge) -> None:
    operator = await Bus.connect(fresh_nats.settings, "operator")
    async with in_process(fresh_nats, judge=judge) as system:
        await operator.js.publish(f"reports.{REPORT}.accepted", b"{")
        ticket = (await system.send(a_report(), "after")).json()["ticket"]
        assert (await system.story(ticket))["state"] == "OPEN"
    await operator.close()


async def test_a_replayed_message_goes_the_whole_road_and_leaves_the_list(
    fresh_nats: Broker, judge: Judge
) -> None:
    operator = await Bus.connect(fresh_nats.settings, "operator")
    async with in_process(fresh_nats, judge=judge) as system:
        ticket = (await system.send(a_report(), "first")).json()["ticket"]
        case_id = (await system.story(ticket))["case_id"]
        stored = await operator.js.get_msg("REPORTS", 1)
        headers = {"Netral-Subject": stored.subject or "", "Netral-Reason": "tried", "Netral-Deliveries": "3"}
        await operator.js.publish("parked.REPORTS.routing.1", stored.data or b"", headers=headers)
        (letter,) = await waiting(operator.js, 1)
        await replay(operator.js, letter.seq)
        assert await list_parked(operator.js) == []
        await asyncio.sleep(1)
        assert [case["case_id"] for case in await system.inbox("BAWASLU")] == [case_id]
    info = await operator.js.stream_info("CASES", subjects_filter="cases.*.decided")
    assert set((info.state.subjects or {}).values()) == {1}
    await operator.close()


async def test_what_several_parked_is_given_back_to_them_by_one_copy_also_by_two_operators_at_once(
    fresh_nats: Broker,
) -> None:
    operator = await Bus.connect(fresh_nats.settings, "operator")
    for seq, body in ((1, b"one"), (2, b"two")):
        for durable in ("routing", "intake-matching", "notifications-received"):
            where = {"stream": "REPORTS", "consumer": durable, "seq": seq, "deliveries": 1, "reason": "tried"}
            await park(operator.js, body, subject=f"reports.{REPORT}.accepted", **where)
    numbers = [letter.seq for letter in await list_parked(operator.js)]
    given = await asyncio.gather(*(replay(operator.js, number) for number in numbers * 2))
    assert sum(given) == len(numbers) == 6, "each letter is given back by one of the two"
    assert await list_parked(operator.js) == []
    assert (await operator.js.stream_info("REPORTS")).state.messages == 2
    assert not await replay(operator.js, numbers[0])
    assert not await drop(operator.js, numbers[0])
    await operator.close()


async def test_what_the_broker_gave_up_is_parked_from_its_advisory(fresh_nats: Broker) -> None:
    operator = await Bus.connect(fresh_nats.settings, "operator")
    await operator.js.publish(f"reports.{REPORT}.accepted", b"{}")
    advisory = {
        "type": "io.nats.jetstream.advisory.v1.max_deliver",
        "stream": "REPORTS",
        "consumer": "routing",
        "stream_seq": 1,
        "deliveries": 12,
    }
    for _ in range(2):
        await park_what_was_given_up(operator.js, json.dumps(advisory).encode())
    (letter,) = await list_parked(operator.js)
    assert (letter.consumer, letter.deliveries) == ("routing", 12)
    assert "given up" in letter.reason
    await operator.close()


async def test_a_second_copy_of_a_report_long_after_the_window_routes_nothing_twice(
    fresh_nats: Broker, judge: Judge
) -> None:
    operator = await Bus.connect(fresh_nats.settings, "operator")
    async with in_process(fresh_nats, judge=judge) as system:
        ticket = (await system.send(a_report(), "once")).json()["ticket"]
        story = await system.story(ticket)
        original = await operator.js.get_msg("REPORTS", 1)
        assert story["case_id"] == json.loads(original.data or b"")["data"]["case_id"]
        system.clock.at = system.clock.at.replace(year=2027)
        await operator.js.publish(original.subject or "", original.data or b"")

        async def acknowledged() -> bool:
            info = await operator.js.consumer_info("REPORTS", "routing")
            return bool(info.delivered and info.delivered.stream_seq == 2 and not info.num_ack_pending)

        await until(acknowledged)
        assert (await system.story(ticket))["decision"]["handled_on"] == story["decision"]["handled_on"]
    info = await operator.js.stream_info("CASES", subjects_filter=">")
    assert set((info.state.subjects or {}).values()) == {1}
    await operator.close()
