"""A service may do on the broker what its work needs, and nothing else."""

import asyncio

import nats as client
import pytest
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, StreamConfig

from services.runtime.connecting import connection
from tests.conftest import Broker

pytestmark = pytest.mark.broker
SERVICES = ("intake", "routing", "notifications")
FOREIGN = {
    "intake": ("cases.x.decided", "notices.x.y", "parked.a.b.1"),
    "routing": ("reports.x.accepted", "notices.x.y"),
    "notifications": ("reports.x.accepted", "cases.x.decided"),
}


async def connect(broker: Broker, user: str) -> client.NATS:
    return await client.connect(**{**connection(broker.settings, user), "error_cb": _ignore})


async def _ignore(_problem: Exception) -> None:
    pass


@pytest.mark.parametrize("user", SERVICES)
async def test_no_service_may_make_change_or_delete_streams_and_consumers(nats: Broker, user: str) -> None:
    nc = await connect(nats, user)
    js = nc.jetstream(timeout=0.3)
    acts = [
        js.add_stream(StreamConfig(name="MINE", subjects=["mine"])),
        js.update_stream(StreamConfig(name="CASES", subjects=["cases.>"])),
        js.delete_stream("CASES"),
        js.purge_stream("CASES"),
        js.delete_msg("CASES", 1),
        js.add_consumer("CASES", ConsumerConfig(durable_name="mine")),
        js.delete_consumer("REPORTS", "routing"),
    ]
    for act in acts:
        with pytest.raises((NatsError, TimeoutError)):
            await act
    await nc.close()


@pytest.mark.parametrize(
    ("user", "subject"), [(user, s) for user, subjects in FOREIGN.items() for s in subjects]
)
async def test_no_service_may_speak_for_another(nats: Broker, user: str, subject: str) -> None:
    nc = await connect(nats, user)
    with pytest.raises((NatsError, TimeoutError)):
        await nc.jetstream(timeout=0.3).publish(subject, b"{}")
    await nc.close()


@pytest.mark.parametrize("user", SERVICES)
@pytest.mark.parametrize(
    "subject", [">", "reports.>", "cases.>", "_INBOX.>", "_INBOX_operator.>", "$JS.API.>"]
)
async def test_no_service_may_listen_to_others(nats: Broker, user: str, subject: str) -> None:
    nc, operator = await connect(nats, user), await connect(nats, "operator")
    heard: list[bytes] = []

    async def hear(message: client.aio.msg.Msg) -> None:
        heard.append(message.data)

    await nc.subscribe(subject, cb=hear)
    await nc.flush()
    await operator.publish("reports.x.other", b"secret")
    await operator.publish("_INBOX_operator.x", b"secret")
    await operator.flush()
    await asyncio.sleep(0.05)
    assert heard == []
    await nc.close()
    await operator.close()


@pytest.mark.parametrize(
    "changed", [{"password": "wrong"}, {"user": None, "password": None}], ids=["wrong", "none"]
)
async def test_a_wrong_password_and_no_password_are_refused(nats: Broker, changed: dict[str, str]) -> None:
    options = {
        **connection(nats.settings, "routing"),
        **changed,
        "error_cb": _ignore,
        "allow_reconnect": False,
    }
    with pytest.raises((NatsError, OSError, TimeoutError)):
        async with asyncio.timeout(2):
            await client.connect(**options)
