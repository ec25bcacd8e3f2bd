"""An event is stored exactly once, however often it is told; together or not at all."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from contracts.events import CaseUnroutable, CaseUnroutableData
from contracts.ids import derived_id
from contracts.topology import template_of
from services.runtime.bus import BrokerAway, Bus
from services.runtime.telemetry import set_up
from tests.conftest import Broker
from tests.running import until
from tests.standing import standing_still

pytestmark = pytest.mark.broker
ROOT = UUID(int=1)


def an_event(name: str, reason: str = "tidak ada") -> CaseUnroutable:
    case_id = derived_id(ROOT, name)
    data = CaseUnroutableData(
        report_id=case_id, case_id=case_id, ticket="NTR-0", persons=("p1",), reason=reason
    )
    return CaseUnroutable(
        id=derived_id(case_id, "e"),
        source="/t",
        subject=name,
        time=datetime(2026, 1, 1, tzinfo=UTC),
        data=data,
    )


async def connected(bus: Bus, wanted: bool) -> bool:
    return bool(bus.nc.is_connected) is wanted


async def messages(bus: Bus, stream: str = "CASES") -> int:
    info = await bus.js.stream_info(stream)
    return int(info.state.messages)


async def test_telling_twice_stores_once_also_after_the_duplicate_window(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    operator = await Bus.connect(fresh_nats.settings, "operator")
    await bus.tell([an_event("a"), an_event("b")])
    await bus.tell([an_event("b"), an_event("c")])
    await bus.tell([an_event("a")])
    assert await messages(operator) == 3
    await bus.close()
    await operator.close()


async def test_concurrent_tellers_share_batches_and_each_event_is_there(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    operator = await Bus.connect(fresh_nats.settings, "operator")
    await asyncio.gather(*(bus.tell([an_event(f"{n}-{m}") for m in range(3)]) for n in range(400)))
    assert await messages(operator) == 1200
    await bus.close()
    await operator.close()


async def test_a_durable_write_is_timed_once_for_all_who_share_it(fresh_nats: Broker) -> None:
    telemetry = set_up("routing", fresh_nats.settings)
    bus = await Bus.connect(fresh_nats.settings, "routing", telemetry=telemetry)
    await asyncio.gather(*(bus.tell([an_event(str(n))]) for n in range(400)))
    await bus.close()
    named = {"messaging_destination_template": template_of(an_event("0").nats_subject)}
    writes = telemetry.registry.get_sample_value("messaging_client_operation_duration_seconds_count", named)
    assert writes
    assert 1 <= writes < 400
    telemetry.shutdown()


async def test_more_than_one_batch_can_hold_is_stored_all_the_same(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    operator = await Bus.connect(fresh_nats.settings, "operator")
    events = [an_event(str(n)) for n in range(1500)]
    await bus.tell(events)
    await bus.tell(events)
    assert await messages(operator) == 1500
    await bus.close()
    await operator.close()


async def test_the_first_answer_stands_and_the_rest_follows_from_it(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    told: list[str] = []

    def rest(stands: CaseUnroutable) -> list[CaseUnroutable]:
        told.append(stands.data.reason)
        return [an_event("follows " + stands.data.reason)]

    assert await bus.tell_case(an_event("x", "first"), rest)
    assert not await bus.tell_case(an_event("x", "second"), rest), "nothing of it is new"
    stored = await bus.read(an_event("x").nats_subject)
    assert stored is not None
    assert b"first" in stored
    assert await bus.stored(an_event("follows first").nats_subject)
    assert not await bus.stored(an_event("follows second").nats_subject)
    assert told[-1] == "first"
    await bus.close()


async def test_what_is_told_together_is_stored_whole_or_not_at_all(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    assert await bus.tell_together([])
    assert await bus.tell_together([an_event("a"), an_event("b")])
    assert not await bus.tell_together([an_event("c"), an_event("b")])
    assert not await bus.stored(an_event("c").nats_subject)
    await bus.close()
    with pytest.raises(BrokerAway):
        await bus.tell_together([an_event("d")])


async def test_a_broker_that_is_away_is_said_at_once(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    fresh_nats.stop()
    await until(lambda: connected(bus, False))
    with pytest.raises(BrokerAway) as caught:
        await bus.tell([an_event("a")])
    assert not caught.value.ambiguous
    fresh_nats.server.start()
    await until(lambda: connected(bus, True))
    await bus.tell([an_event("a")])
    assert await bus.stored(an_event("a").nats_subject)
    await bus.close()


@contextmanager
def dying_slowly(broker: Broker) -> Iterator[None]:
    """It takes what comes and answers nothing; then it dies."""
    with standing_still(broker.server.process):
        try:
            yield
        finally:
            broker.kill()


@pytest.mark.parametrize("stored_before", [[], ["a"], ["a", "b"]])
async def test_who_waits_for_an_answer_when_the_broker_dies_gets_it_once_it_is_back(
    fresh_nats: Broker, stored_before: list[str]
) -> None:
    """nats-py's own would wait ten seconds, and then nobody would know."""
    bus = await Bus.connect(fresh_nats.settings, "routing")
    operator = await Bus.connect(fresh_nats.settings, "operator")
    await bus.tell([an_event(name) for name in stored_before])
    with dying_slowly(fresh_nats):
        telling = [asyncio.create_task(bus.tell([an_event(name)])) for name in ("a", "b", "c")]
        await asyncio.sleep(0.05)
    fresh_nats.server.start()
    await asyncio.wait_for(asyncio.gather(*telling), 8)
    assert await messages(operator) == 3
    await bus.close()
    await operator.close()


async def test_a_broker_that_stays_away_is_said_before_patience_ends_to_those_behind_as_well(
    fresh_nats: Broker,
) -> None:
    """Of what was sent nobody knows whether it is stored; what waited for its turn was never sent."""
    bus = await Bus.connect(fresh_nats.settings, "routing")
    with dying_slowly(fresh_nats):
        first = asyncio.create_task(bus.tell([an_event("a")]))
        reading = asyncio.create_task(bus.stored("cases.x.decided"))
        await asyncio.sleep(0.05)
        behind = asyncio.create_task(bus.tell([an_event("b")]))
        await asyncio.sleep(0.05)
    with pytest.raises(BrokerAway):
        await asyncio.wait_for(reading, 3)
    answers = await asyncio.wait_for(asyncio.gather(first, behind, return_exceptions=True), 8)
    assert [isinstance(one, BrokerAway) and one.ambiguous for one in answers] == [True, False]
    await bus.close()


async def test_more_than_can_be_held_while_the_broker_is_away_keeps_nobody_waiting(
    fresh_nats: Broker,
) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    large = [an_event(str(n), "x" * 900_000) for n in range(12)]
    with dying_slowly(fresh_nats):
        telling = asyncio.create_task(bus.tell(large))
        await asyncio.sleep(0.2)
    with pytest.raises(BrokerAway):
        await asyncio.wait_for(telling, 20)
    await bus.close()


async def test_a_bus_is_closed_in_order_also_while_something_lies_here_for_a_broker_that_is_away(
    fresh_nats: Broker,
) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    fresh_nats.kill()
    await until(lambda: connected(bus, False))
    await bus.nc.publish("$JS.ACK.x", b"")
    await bus.close()
    assert bus.nc.is_closed


async def test_a_refusal_after_a_lost_answer_proves_nothing(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    operator = await Bus.connect(fresh_nats.settings, "operator")
    config = (await operator.js.stream_info("CASES")).config
    config.max_bytes = 10
    await operator.js.update_stream(config)
    with dying_slowly(fresh_nats):
        telling = asyncio.create_task(bus.tell([an_event("a"), an_event("b")]))
        await asyncio.sleep(0.05)
    fresh_nats.server.start()
    with pytest.raises(BrokerAway) as caught:
        await asyncio.wait_for(telling, 8)
    assert caught.value.ambiguous
    await bus.close()
    await operator.close()


async def test_without_patience_an_absent_broker_is_said_within_seconds(fresh_nats: Broker) -> None:
    fresh_nats.stop()
    with pytest.raises(BrokerAway):
        await Bus.connect(fresh_nats.settings, "routing", wait=False)


async def test_a_bus_closed_while_answers_arrive_leaves_and_leaves_nobody_waiting(fresh_nats: Broker) -> None:
    """A cancellation that came with the answer was swallowed, in one of ten closings: a service hung when it stopped."""
    for n in range(60):
        bus = await Bus.connect(fresh_nats.settings, "routing")
        await bus.tell([an_event(f"{n}")])
        telling = [asyncio.create_task(bus.tell([an_event(f"{n}-{m}")])) for m in range(3)]
        await asyncio.sleep(n / 60 * 0.004)
        await asyncio.wait_for(bus.close(), 20)
        told = await asyncio.wait_for(asyncio.gather(*telling, return_exceptions=True), 5)
        assert all(answer is None or isinstance(answer, BrokerAway) for answer in told)


async def test_a_full_stream_takes_nothing_and_the_log_says_which_and_why(
    fresh_nats: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    operator = await Bus.connect(fresh_nats.settings, "operator")
    config = (await operator.js.stream_info("CASES")).config
    config.max_bytes = 10
    await operator.js.update_stream(config)
    with pytest.raises(BrokerAway) as refused:
        await bus.tell([an_event("a"), an_event("b")])
    assert not refused.value.ambiguous
    (said,) = [record for record in caplog.records if record.getMessage() == "broker.refused"]
    assert said.__dict__["facts"] == {"stream": "CASES", "why": "maximum bytes exceeded (10077)"}
    config.max_bytes = -1
    await operator.js.update_stream(config)
    await bus.tell([an_event("a"), an_event("b")])
    assert await messages(operator) == 2
    await bus.close()
    await operator.close()
