"""The kit's reader goes on where it stopped, over a broker that died too, and one agency's lag is its own."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import nats as client
import pytest

from contracts.receiver.nkey import BadSeed, public_of, seed_of
from contracts.receiver.stream import AgencyStream, Delivery, heeding_cancellation
from contracts.topology import agency_consumer
from deploy.local.identities import Identities
from deploy.streams import add_consumer
from services.runtime.connecting import connection
from tests.conftest import Broker
from tests.contracts.receiver.test_webhook import EVENT
from tests.running import until

AT = datetime(2026, 11, 24, tzinfo=UTC)


def an_event(number: int, kind: str = "due") -> bytes:
    ident = f"00000000-0000-5000-8000-{number:012}"
    return json.dumps({**EVENT, "id": ident, "type": f"id.netral.agency.{kind}.v1"}).encode()


async def a_key(broker: Broker, agency: str) -> str:
    seed = seed_of(secrets.token_bytes(32))
    async with as_operator(broker) as nc:
        await add_consumer(nc.jetstream(), agency_consumer(agency))
        Identities(broker.data_dir).add(seed, agency, None, AT)
        assert Identities(broker.data_dir).reload()
        await until(partial(_manages, nc))
    return seed


async def _manages(nc: Any) -> bool:
    """While it reads its file again, the broker gives no answer about streams and consumers for a moment."""
    try:
        return bool(await nc.jetstream(timeout=1).stream_info("TOLD"))
    except (client.errors.Error, TimeoutError):
        return False


@asynccontextmanager
async def as_operator(broker: Broker) -> AsyncIterator[Any]:
    nc = await client.connect(**connection(broker.settings, "operator"))
    yield nc
    await nc.close()


async def tell(broker: Broker, agency: str, *bodies: bytes) -> None:
    async with as_operator(broker) as nc:
        for number, body in enumerate(bodies):
            await nc.jetstream().publish(f"told.{agency}.any.x.{secrets.token_hex(4)}.{number}", body)


async def some(stream: AgencyStream, count: int) -> list[Delivery]:
    found: list[Delivery] = []
    async for delivery in stream:
        found.append(delivery)
        await delivery.done()
        if len(found) == count:
            break
    return found


def numbers(found: list[Delivery]) -> list[int]:
    return [int(str(one.event.id)[-12:]) for one in found]


@pytest.mark.broker
async def test_a_reader_goes_on_after_a_break_and_after_the_death_of_the_broker(fresh_nats: Broker) -> None:
    seed = await a_key(fresh_nats, "BKN")
    await tell(fresh_nats, "BKN", *[an_event(n) for n in range(4)])
    url = fresh_nats.settings.nats_url
    async with AgencyStream(url, seed, "BKN") as stream:
        assert numbers(await some(stream, 2)) == [0, 1]
    async with AgencyStream(url, seed, "BKN") as stream:
        assert numbers(await some(stream, 1)) == [2]
        fresh_nats.kill()
        fresh_nats.server.start()
        after = await asyncio.wait_for(some(stream, 1), 60)
        while numbers(after)[-1] != 3:  # a broker that was killed may have forgotten what was done last
            after += await asyncio.wait_for(some(stream, 1), 60)
    assert set(numbers(after)) <= {0, 1, 2, 3}


@pytest.mark.broker
async def test_leaving_a_broker_that_is_gone_hides_nothing_of_why_one_leaves(fresh_nats: Broker) -> None:
    seed = await a_key(fresh_nats, "BKN")
    await tell(fresh_nats, "BKN", an_event(0))
    stream = AgencyStream(fresh_nats.settings.nats_url, seed, "BKN")

    async def gone() -> bool:
        return not stream._client.is_connected

    async def leave() -> None:
        async with stream:
            delivery = await anext(aiter(stream))
            fresh_nats.kill()
            await until(gone)
            await delivery.later()  # waits for a connection, and is flushed to the lost one at the end
            raise LookupError

    with pytest.raises(LookupError):
        await leave()


@pytest.mark.broker
async def test_what_is_put_off_comes_again_and_news_of_another_time_is_passed_over(
    fresh_nats: Broker,
) -> None:
    seed = await a_key(fresh_nats, "BKN")
    await tell(fresh_nats, "BKN", an_event(1, "unheard"), b"not json", an_event(2))
    async with AgencyStream(fresh_nats.settings.nats_url, seed, "BKN") as stream:
        first = await anext(aiter(stream))
        await first.later(0.1)
        (again,) = await some(stream, 1)
    assert (numbers([first, again]), first.times, again.times) == ([2, 2], 1, 2)
    assert again.sequence == 3


@pytest.mark.broker
async def test_an_agency_that_acknowledges_nothing_delays_nobody_else(fresh_nats: Broker) -> None:
    slow, quick = await a_key(fresh_nats, "KPU"), await a_key(fresh_nats, "BKN")
    most = agency_consumer("KPU").max_ack_pending
    async with as_operator(fresh_nats) as nc:
        js = nc.jetstream()
        for number in range(most + 20):
            await js.publish(f"told.KPU.any.x.due.{number}", an_event(number))
        await js.publish("told.BKN.any.x.due.1", an_event(1))
        pulled = await js.pull_subscribe_bind("KPU", stream="TOLD")
        held = await pulled.fetch(most, timeout=30)
        assert len(held) == most
        with pytest.raises(TimeoutError):
            await pulled.fetch(1, timeout=1)
        async with AgencyStream(fresh_nats.settings.nats_url, quick, "BKN") as stream:
            assert numbers(await asyncio.wait_for(some(stream, 1), 30)) == [1]
        for message in held:
            await message.ack()
    async with AgencyStream(fresh_nats.settings.nats_url, slow, "KPU") as stream:
        assert numbers(await some(stream, 20)) == list(range(most, most + 20))


@pytest.mark.parametrize("trouble", [None, TimeoutError()])
async def test_a_cancellation_that_comes_together_with_an_answer_is_heeded(trouble: Exception | None) -> None:
    """asyncio.wait_for of Python 3.11 passes the answer on and forgets the cancellation."""
    answer = asyncio.get_running_loop().create_future()

    async def read() -> None:
        await heeding_cancellation(asyncio.wait_for(answer, 30))

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    if trouble:
        answer.set_exception(trouble)
    else:
        answer.set_result(None)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()


def test_a_seed_that_was_cut_short_or_changed_is_refused_without_repeating_it() -> None:
    seed = seed_of(bytes(range(32)))
    assert (len(seed), seed[:2], public_of(seed)[0], len(public_of(seed))) == (58, "SU", "U", 56)
    for bad in ("", "SU", seed[:-1], seed[:20] + "A" + seed[21:], public_of(seed), "é" * 58):
        with pytest.raises(BadSeed) as refusal:
            public_of(bad)
        assert not bad or bad not in str(refusal.value) or bad == "SU"
