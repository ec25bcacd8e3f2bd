"""A broker that refuses who is connected is asked again until it takes them, with the password of that moment."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import nats as client
import pytest
from faststream.nats import NatsBroker
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from deploy.local.secrets import write_private
from services.runtime.bus import BrokerAway, Bus
from services.runtime.connecting import Persistent, connection
from services.runtime.messaging import consuming, durable
from tests.conftest import Broker
from tests.running import until

pytestmark = pytest.mark.broker
SUBJECT = "reports.{}.accepted"


@asynccontextmanager
async def reading(broker: Broker) -> Any:
    """A durable's reader as routing has it; what it hears goes into the queue."""
    heard = asyncio.Queue[bytes]()

    def subscribe(faststream: NatsBroker) -> None:
        @faststream.subscriber(**durable("routing"))
        async def handle(message: Any) -> None:
            heard.put_nowait(message.body)

    reader = await consuming(broker.settings, "routing", None, subscribe)
    yield reader, heard
    await reader.stop()


@asynccontextmanager
async def at_work(broker: Broker) -> Any:
    """A publisher and a durable's reader as routing has them, and what the reader hears."""
    bus = await Bus.connect(broker.settings, "routing")
    async with reading(broker) as (_, heard):
        yield bus, heard
    await bus.close()


async def tell(broker: Broker, name: str) -> None:
    nc = await client.connect(**connection(broker.settings, "operator"))
    await nc.jetstream().publish(SUBJECT.format(name), name.encode())
    await nc.close()


def is_connected(bus: Bus, wanted: bool) -> Callable[[], Awaitable[bool]]:
    async def connected() -> bool:
        return bool(bus.nc.is_connected) is wanted

    return connected


async def test_publisher_and_reader_go_on_where_a_refused_password_is_taken_again(
    fresh_nats: Broker, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    async with at_work(fresh_nats) as (bus, heard):
        await tell(fresh_nats, "one")
        assert await heard.get() == b"one"
        fresh_nats.take_password("routing", "another")
        await until(is_connected(bus, False))

        async def refused_more_than_once() -> bool:
            return sum("uthorization" in str(line.get("why")) for line in lines()) > 4  # by two connections

        await until(refused_more_than_once)
        fresh_nats.take_password("routing")
        await until(is_connected(bus, True))
        await tell(fresh_nats, "two")
        assert await asyncio.wait_for(heard.get(), 20) == b"two"
        assert not await bus.stored("cases.x.decided")


async def test_an_exchanged_password_needs_no_restart_and_an_unreadable_one_ends_nothing(
    fresh_nats: Broker,
) -> None:
    secret = fresh_nats.data_dir / "secrets" / "nats-routing"
    async with at_work(fresh_nats) as (bus, heard):
        fresh_nats.take_password("routing", "another")
        await until(is_connected(bus, False))
        secret.write_bytes(b"\xff")
        await asyncio.sleep(0.7)
        secret.unlink()
        await asyncio.sleep(0.7)
        write_private(secret, "another")
        await until(is_connected(bus, True))
        await tell(fresh_nats, "one")
        assert await asyncio.wait_for(heard.get(), 20) == b"one"


async def test_a_reader_ends_also_while_it_is_refused(fresh_nats: Broker) -> None:
    async with at_work(fresh_nats) as (bus, _):
        fresh_nats.take_password("routing", "another")
        await until(is_connected(bus, False))


async def test_what_a_server_says_of_a_forbidden_subject_costs_no_connection(fresh_nats: Broker) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")
    await bus.nc.publish("reports.x.accepted", b"not ours to say")
    assert not await bus.stored("cases.x.decided")
    assert bus.nc.stats["reconnects"] == 0
    await bus.close()


async def test_a_server_that_errs_at_every_connection_is_asked_with_a_pause(fresh_nats: Broker) -> None:
    nc = Persistent()
    await nc.connect(**connection(fresh_nats.settings, "routing"))
    for round_ in range(3):
        started = asyncio.get_running_loop().time()
        await nc._process_err("'maximum subscriptions exceeded'")

        async def back(times: int = round_ + 1) -> bool:
            return bool(nc.is_connected) and nc.stats["reconnects"] == times

        await until(back)
        assert asyncio.get_running_loop().time() - started >= 0.4
    await nc.close()


async def test_a_broker_that_took_only_small_messages_for_a_while_is_told_large_ones_again(
    fresh_nats: Broker, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    bus = await Bus.connect(fresh_nats.settings, "routing")

    async def told(outcome: type[Exception] | None) -> bool:
        try:
            await bus.nc.publish(SUBJECT.format("large"), b"x" * 4096)
            await bus.nc.flush()
        except (client.errors.Error, TimeoutError) as trouble:
            return type(trouble) is outcome
        return outcome is None

    take(fresh_nats, "max_payload: 8MB", "max_payload: 2KB")
    await until(partial(told, client.errors.MaxPayloadError))
    await asyncio.sleep(2)  # what was held while it was connected anew ends that connection, too
    await until(partial(told, client.errors.MaxPayloadError))
    assert any("payload" in str(line.get("why")).lower() for line in lines())
    take(fresh_nats)
    await until(partial(told, None))
    await bus.close()


async def test_who_was_forbidden_to_listen_for_a_while_hears_again_without_a_restart(
    fresh_nats: Broker,
) -> None:
    async with at_work(fresh_nats) as (bus, heard):
        take(fresh_nats, '"_INBOX_routing', '"_INBOX_nobody')

        async def answered() -> bool:
            try:
                return not await bus.stored("cases.x.decided")
            except BrokerAway:
                return False

        async def unanswered() -> bool:
            return not await answered()

        await until(unanswered)
        take(fresh_nats)
        await until(answered)
        await tell(fresh_nats, "one")
        assert await asyncio.wait_for(heard.get(), 20) == b"one"


def take(broker: Broker, part: str = "", other: str = "") -> None:
    """Have the running server go by its configuration with another part in it."""
    config = broker.server.config()
    assert part in config
    write_private(broker.data_dir / "nats" / "nats.conf", config.replace(part, other) if part else config)
    assert broker.server.process
    broker.server.process.send_signal(signal.SIGHUP)


@given(
    st.lists(
        st.sampled_from(
            [
                b"Nats-Batch-Id",
                b" a",
                b"b c",
                b"\xc3\xa9",
                b":",
                b": ",
                b"7",
                b"\xff",
                b"\t",
                b"\r\n",
                b"\r",
                b"\n",
            ]
        )
    )
)
def test_headers_are_read_as_the_library_reads_them(parts: list[bytes]) -> None:
    raw = b"".join(parts)
    assert Persistent._parse_header_lines(raw) == Client._parse_header_lines(raw)
