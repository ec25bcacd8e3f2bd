"""A group is one effect; what is wrong with one of its messages is judged alone; what is away is waited for together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
from nats.aio.msg import Msg

from services.runtime.bus import Bus
from services.runtime.failures import NeedsAPerson, TryLater
from services.runtime.gathering import Gathering
from services.runtime.pulling import AT_ONCE, Pull
from services.runtime.telemetry import Telemetry, set_up
from tests.conftest import Broker
from tests.running import until

pytestmark = pytest.mark.broker
DURABLE = "routing-notices"
CASE = "0b5a2f0e-3f0c-5a39-8a4e-6a0f5b1d2c3e"


class Hand:
    """Remembers what it was given; `trouble` says what is wrong with a body."""

    def __init__(self, **trouble: Any) -> None:
        self.groups: list[list[str]] = []
        self.trouble: dict[str, list[Exception]] = trouble

    async def __call__(self, messages: Sequence[Msg]) -> None:
        bodies = [message.data.decode() for message in messages]
        self.groups.append(bodies)
        for body in bodies:
            if waiting := self.trouble.get(body):
                raise waiting.pop(0)


async def publish(broker: Broker, *bodies: str) -> None:
    bus = await Bus.connect(broker.settings, "notifications")
    for body in bodies:
        await bus.js.publish(f"notices.{CASE}.{body[:20]}", body.encode())
    await bus.close()


@asynccontextmanager
async def following(
    broker: Broker, hand: Hand, most: int = 200, telemetry: Telemetry | None = None
) -> AsyncIterator[Bus]:
    bus = await Bus.connect(broker.settings, "routing")
    task = asyncio.create_task(Gathering(bus.nc, DURABLE, hand, telemetry, most).follow())
    try:
        yield bus
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await bus.close()


async def asked(bus: Bus) -> bool:
    return bool((await bus.js.consumer_info("NOTICES", DURABLE)).num_waiting)


async def settled(bus: Bus, number: int) -> bool:
    """Whether so many are acknowledged: what the broker calls pending may lack what it stored just now."""
    floor = (await bus.js.consumer_info("NOTICES", DURABLE)).ack_floor
    return floor is not None and floor.stream_seq == number


async def test_all_that_waits_is_one_group(fresh_nats: Broker) -> None:
    await publish(fresh_nats, *(f"m{n}" for n in range(50)))
    async with following(fresh_nats, hand := Hand()) as bus:
        await until(lambda: settled(bus, 50))
        assert [body for group in hand.groups for body in group] == [f"m{n}" for n in range(50)]
        assert len(hand.groups) < 10


async def test_nobody_waits_for_a_group_to_fill(fresh_nats: Broker) -> None:
    async with following(fresh_nats, hand := Hand()) as bus:
        for number in range(3):
            await publish(fresh_nats, f"alone{number}")
            await until(partial(settled, bus, number + 1))
        assert hand.groups == [["alone0"], ["alone1"], ["alone2"]]


async def test_one_that_needs_a_person_is_parked_and_the_others_are_done(fresh_nats: Broker) -> None:
    await publish(fresh_nats, "a", "bad", "c")
    hand = Hand(bad=[NeedsAPerson("nobody knows"), NeedsAPerson("nobody knows")])
    async with following(fresh_nats, hand) as bus:
        await until(lambda: settled(bus, 3))
        operator = await Bus.connect(fresh_nats.settings, "operator")
        assert (await operator.js.stream_info("PARKED")).state.messages == 1
        await operator.close()
        assert {"a", "c"} <= {body for group in hand.groups if "bad" not in group for body in group}


async def test_every_message_of_a_group_is_counted_and_the_group_is_timed_once(fresh_nats: Broker) -> None:
    await publish(fresh_nats, *(f"m{n}" for n in range(20)), "refused")
    hand = Hand(refused=[NeedsAPerson("why") for _ in range(2)])
    telemetry = set_up("routing", fresh_nats.settings)

    def counted(name: str, **labels: str) -> float:
        named = {"messaging_consumer_group_name": DURABLE, **labels}
        return telemetry.registry.get_sample_value(name, named) or 0

    async with following(fresh_nats, hand, telemetry=telemetry) as bus:
        await until(lambda: settled(bus, 21))
    consumed = "messaging_client_consumed_messages_total"
    assert [counted(consumed, netral_outcome=outcome) for outcome in ("handled", "parked")] == [20, 1]
    assert counted("netral_message_parked_total") == 1
    times = counted("messaging_process_duration_seconds_count", netral_outcome="handled")
    assert times == len([group for group in hand.groups if "refused" not in group])
    telemetry.shutdown()


async def test_what_is_away_is_waited_for_together(fresh_nats: Broker) -> None:
    await publish(fresh_nats, *(f"m{n}" for n in range(20)), "last")
    hand = Hand(last=[TryLater(0.2)])
    async with following(fresh_nats, hand) as bus:
        await until(lambda: settled(bus, 21))
        failed = next(group for group in hand.groups if "last" in group)
        assert sum(len(group) for group in hand.groups) == 21 + len(failed)


async def test_what_was_pulled_and_not_handled_is_given_back_at_the_end(fresh_nats: Broker) -> None:
    await publish(fresh_nats, "slow", "next")
    begun = asyncio.Event()

    async def hang(_messages: Sequence[Msg]) -> None:
        begun.set()
        await asyncio.Event().wait()

    bus = await Bus.connect(fresh_nats.settings, "routing")
    task = asyncio.create_task(Gathering(bus.nc, DURABLE, hang).follow())
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await bus.close()
    async with following(fresh_nats, hand := Hand()) as other:
        await until(lambda: settled(other, 2), 10)  # far less than the 30 s after which the broker would ask
        assert sorted(body for group in hand.groups for body in group) == ["next", "slow"]


async def test_a_group_that_was_begun_ends_before_its_reader_does(fresh_nats: Broker) -> None:
    await publish(fresh_nats, "begun")
    begun, ended = asyncio.Event(), asyncio.Event()

    async def brief(_messages: Sequence[Msg]) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        ended.set()

    bus = await Bus.connect(fresh_nats.settings, "routing")
    task = asyncio.create_task(Gathering(bus.nc, DURABLE, brief).follow())
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert ended.is_set()
    await until(lambda: settled(bus, 1), 10)
    await bus.close()


async def test_a_reader_goes_on_after_the_death_of_the_broker(fresh_nats: Broker) -> None:
    async with following(fresh_nats, hand := Hand()) as bus:
        fresh_nats.kill()
        fresh_nats.server.start()
        await publish(fresh_nats, "after")
        await until(lambda: settled(bus, 1))
        assert hand.groups[-1] == ["after"]


async def test_what_was_asked_over_a_lost_connection_is_asked_anew(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    reading = asyncio.create_task(Pull(bus.nc, "NOTICES", DURABLE, 100, expires=600).group())
    await until(lambda: asked(bus))
    fresh_nats.kill()
    fresh_nats.server.start()
    await publish(fresh_nats, "after")
    async with asyncio.timeout(60):
        assert [message.data for message in await reading] == [b"after"]
    await bus.close()


async def test_large_messages_come_in_small_groups_and_without_a_pause(fresh_nats: Broker) -> None:
    count, size = 7, 5_000_000
    await publish(fresh_nats, *(f"{number}" * size for number in range(count)))
    bus = await Bus.connect(fresh_nats.settings, "routing")
    pull, groups = Pull(bus.nc, "NOTICES", DURABLE, 100), []
    while sum(map(len, groups)) < count:
        groups.append(await pull.group())
        assert not pull._refused, "nobody waits because a request was full"
    assert [message.data[:1] for group in groups for message in group] == [b"%d" % n for n in range(count)]
    assert max(map(len, groups)) * size <= AT_ONCE
    await bus.close()


async def test_a_durable_that_does_not_exist_yet_is_waited_for(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "operator")
    pull = Pull(bus.nc, "NOTICES", "nobody", 10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await pull.group()
    await bus.close()
