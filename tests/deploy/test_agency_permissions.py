"""An agency may ask for, acknowledge and hear what is its own; every other act is refused by the broker itself."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import nats as client
import pytest

from contracts.codes import Agency
from contracts.receiver.nkey import public_of, seed_of, sign
from contracts.receiver.stream import _NkeyClient
from contracts.topology import CONSUMERS, STREAMS, agency_consumer
from deploy.local.identities import Identities
from deploy.streams import add_consumer
from services.runtime.connecting import connection
from tests.conftest import Broker
from tests.running import until

pytestmark = pytest.mark.broker
BODIES: list[tuple[str, str | None]] = [*((agency, None) for agency in Agency), ("BKN", "prov:16")]
AT = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Agencies:
    """A broker where every body has an identity, a durable and one event of its own."""

    broker: Broker
    seeds: dict[str, str] = field(default_factory=dict)

    async def fill(self) -> None:
        identities = Identities(self.broker.data_dir)
        nc = await client.connect(**connection(self.broker.settings, "operator"))
        for agency, office in BODIES:
            consumer = agency_consumer(agency, office)
            await add_consumer(nc.jetstream(), consumer)
            self.seeds[consumer.name] = seed_of(secrets.token_bytes(32))
            identities.add(self.seeds[consumer.name], agency, office, AT)
            token = "prov-16" if office else "pusat"
            await nc.jetstream().publish(f"told.{agency}.{token}.x.offered.0", consumer.name.encode())
        await nc.close()
        assert identities.reload()

    @asynccontextmanager
    async def as_(self, durable: str) -> AsyncIterator[tuple[Any, list[str]]]:
        """A connection of a body, and what the broker refused it."""
        refused: list[str] = []

        async def heard(problem: Exception) -> None:
            refused.append(str(problem).lower())

        seed = self.seeds[durable]
        nc = _NkeyClient(public_of(seed))

        async def connected() -> bool:
            try:
                await nc.connect(
                    self.broker.settings.nats_url,
                    signature_cb=lambda nonce: sign(seed, nonce),
                    inbox_prefix=f"_INBOX_{durable}".encode(),
                    error_cb=heard,
                    allow_reconnect=False,
                )
            except (client.errors.Error, OSError):
                return False  # the broker has not read the new file yet
            return True

        await until(connected)
        refused.clear()
        try:
            yield nc, refused
        finally:
            await nc.close()


@pytest.fixture(scope="module")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agencies]:
    broker = Broker(tmp_path_factory.mktemp("agencies"))
    broker.start()
    found = Agencies(broker)
    asyncio.run(found.fill())
    yield found
    broker.stop()


DURABLES = [agency_consumer(*body).name for body in BODIES]


def sayings(durable: str) -> list[tuple[str, dict[str, Any]]]:
    """Every forbidden request about a body's events (its own, or another's)."""
    mine = f"told.{durable.split('-', maxsplit=1)[0]}.>"
    create, config = "$JS.API.CONSUMER.CREATE.TOLD", {"ack_policy": "explicit", "deliver_policy": "all"}
    many = {"stream_name": "TOLD", "config": {**config, "name": "x", "filter_subjects": [mine, "told.>"]}}
    one = {"stream_name": "TOLD", "config": {**config, "name": "x", "filter_subject": mine}}
    push = {"stream_name": "TOLD", "config": {**config, "deliver_subject": f"_INBOX_{durable}.x"}}
    return [
        (f"{create}.x.{mine}", one),
        (f"{create}.x", one),
        (f"{create}.x", many),
        (create, push),
        ("$JS.API.CONSUMER.DURABLE.CREATE.TOLD.x", one),
        (f"{create}.{durable}", one),
        ("$JS.API.STREAM.MSG.GET.TOLD", {"last_by_subj": mine}),
        ("$JS.API.STREAM.MSG.GET.TOLD", {"seq": 1}),
        ("$JS.API.DIRECT.GET.TOLD", {"seq": 1}),
        ("$JS.API.DIRECT.GET.TOLD", {"multi_last": [mine]}),
        (f"$JS.API.DIRECT.GET.TOLD.{mine[:-1]}x", {}),
        (f"$JS.API.CONSUMER.INFO.TOLD.{durable}", {}),
        (f"$JS.API.CONSUMER.DELETE.TOLD.{durable}", {}),
        (f"$JS.API.CONSUMER.RESET.TOLD.{durable}", {"seq": 1}),
        (f"$JS.API.CONSUMER.PAUSE.TOLD.{durable}", {"pause_until": "2099-01-01T00:00:00Z"}),
        (f"$JS.API.CONSUMER.UNPIN.TOLD.{durable}", {"group": "g"}),
        (f"$JS.API.CONSUMER.LEADER.STEPDOWN.TOLD.{durable}", {}),
        (f"told.{durable}.pusat.x.offered.9", {"forged": True}),
    ]


def streamwide(stream: str) -> list[tuple[str, dict[str, Any]]]:
    """Every forbidden request about a stream of ours, whichever it is."""
    one = {"stream_name": stream, "config": {"name": "x", "ack_policy": "explicit"}}
    return [
        *((f"$JS.API.CONSUMER.{verb}.{stream}", {}) for verb in ("LIST", "NAMES")),
        *((f"$JS.API.STREAM.{verb}.{stream}", {}) for verb in ("INFO", "PURGE", "DELETE", "SNAPSHOT")),
        (f"$JS.API.STREAM.UPDATE.{stream}", {"name": stream, "subjects": ["told.>"]}),
        (f"$JS.API.STREAM.MSG.DELETE.{stream}", {"seq": 1}),
        (f"$JS.API.STREAM.MSG.GET.{stream}", {"seq": 1}),
        (f"$JS.API.DIRECT.GET.{stream}", {"seq": 1}),
        (f"$JS.API.CONSUMER.CREATE.{stream}", one),
        (f"$JS.API.CONSUMER.CREATE.{stream}.x", one),
        (f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.x", one),
        ("$JS.API.STREAM.CREATE.MINE", {"name": "MINE", "sources": [{"name": stream}]}),
        ("$JS.API.STREAM.CREATE.MINE", {"name": "MINE", "mirror": {"name": stream}}),
    ]


def made_of(subject: str) -> str:
    """A subject that a filter of ours fits."""
    return subject.replace("*", "x").replace(">", "x")


ANYBODY: list[tuple[str, dict[str, Any]]] = [
    *(act for stream in STREAMS for act in streamwide(stream.name)),
    *((made_of(subject), {}) for stream in STREAMS for subject in stream.subjects),
    *((f"$JS.API.CONSUMER.MSG.NEXT.{c.stream}.{c.name}", {"batch": 1}) for c in CONSUMERS),
    *((f"$JS.ACK.{c.stream}.{c.name}.1.1.1.1.1", {}) for c in CONSUMERS),
    *((f"$JS.API.CONSUMER.INFO.{c.stream}.{c.name}", {}) for c in CONSUMERS),
    *((f"$JS.API.CONSUMER.DELETE.{c.stream}.{c.name}", {}) for c in CONSUMERS),
    ("$JS.API.STREAM.LIST", {}),
    ("$JS.API.STREAM.NAMES", {}),
    ("$JS.API.INFO", {}),
    ("_INBOX_routing.x", {}),
    ("_INBOX.x", {}),
    ("$SYS.REQ.SERVER.PING", {}),
    ("$SYS.REQ.ACCOUNT.NETRAL.CONNZ", {}),
]
LISTENED = (
    *(">", "*", "_INBOX.>", "_INBOX_routing.>", "$JS.>", "$SYS.>"),
    *(subject for stream in STREAMS for subject in stream.subjects),
)


async def refused_all(agencies: Agencies, who: str, acts: list[tuple[str, dict[str, Any]]]) -> None:
    """None of these requests is answered, and each is refused by name."""
    async with agencies.as_(who) as (nc, refused):
        answers = await nc.subscribe(f"_INBOX_{who}.answers")
        for subject, body in acts:
            await nc.publish(subject, json.dumps(body).encode(), reply=f"_INBOX_{who}.answers")
        assert await _not_refused([subject for subject, _ in acts], refused, nc) == []
        assert answers.pending_msgs == 0


async def _not_refused(subjects: list[str], refused: list[str], nc: Any) -> list[str]:
    """Which of these the broker let through."""
    await nc.flush()
    for _ in range(100):  # what was refused is told by tasks of their own
        if len(refused) >= len(subjects):
            break
        await asyncio.sleep(0.02)
    named = Counter(text.split('"')[1] for text in refused)
    return list((Counter(subject.lower() for subject in subjects) - named).elements())


@pytest.mark.parametrize("durable", DURABLES)
async def test_an_agency_may_not_go_round_its_own_durable(agencies: Agencies, durable: str) -> None:
    await refused_all(agencies, durable, [*sayings(durable), *ANYBODY])


@pytest.mark.parametrize("durable", DURABLES)
async def test_an_agency_may_do_nothing_with_what_is_another_s(agencies: Agencies, durable: str) -> None:
    others = [other for other in DURABLES if other != durable]
    acts = [act for other in others for act in sayings(other)]
    acts += [(f"$JS.API.CONSUMER.MSG.NEXT.TOLD.{other}", {"batch": 1}) for other in others]
    acts += [(f"$JS.ACK.TOLD.{other}.1.1.1.1.1", {}) for other in others]
    acts += [(f"_INBOX_{other}.x", {}) for other in others]
    await refused_all(agencies, durable, acts)


@pytest.mark.parametrize("durable", DURABLES)
async def test_an_agency_may_listen_to_its_own_inbox_only(agencies: Agencies, durable: str) -> None:
    others = [f"_INBOX_{other}.>" for other in DURABLES if other != durable]
    own = f"told.{durable.split('-', maxsplit=1)[0]}.>"
    async with agencies.as_(durable) as (nc, refused):
        wanted = [*LISTENED, *others, own, f"$JS.ACK.TOLD.{durable}.>"]
        for subject in wanted:
            await nc.subscribe(subject)
        assert await _not_refused(wanted, refused, nc) == []


@pytest.mark.parametrize("durable", DURABLES)
async def test_an_agency_reads_all_that_is_its_own_and_nothing_else(agencies: Agencies, durable: str) -> None:
    wanted = {b"BKN": {b"BKN", b"BKN-prov-16"}}.get(durable.encode(), {durable.encode()})
    async with agencies.as_(durable) as (nc, refused):
        pulled = await nc.jetstream().pull_subscribe_bind(durable, stream="TOLD")
        messages = await pulled.fetch(len(wanted), timeout=30)
        assert {message.data for message in messages} == wanted
        assert messages[-1].metadata.num_pending == 0
        for message in messages:
            await message.ack_sync()
        assert refused == []


async def test_a_key_that_was_never_issued_is_refused(agencies: Agencies) -> None:
    seed = seed_of(secrets.token_bytes(32))
    nc = _NkeyClient(public_of(seed))
    with pytest.raises((client.errors.Error, TimeoutError)):
        async with asyncio.timeout(5):
            await nc.connect(
                agencies.broker.settings.nats_url,
                signature_cb=lambda nonce: sign(seed, nonce),
                allow_reconnect=False,
                error_cb=_silent,
            )


async def test_a_public_key_with_another_s_signature_is_refused(agencies: Agencies) -> None:
    nc = _NkeyClient(public_of(agencies.seeds["BKN"]))
    with pytest.raises((client.errors.Error, TimeoutError)):
        async with asyncio.timeout(5):
            await nc.connect(
                agencies.broker.settings.nats_url,
                signature_cb=lambda nonce: sign(agencies.seeds["KPU"], nonce),
                allow_reconnect=False,
                error_cb=_silent,
            )


async def _silent(_problem: Exception) -> None:
    pass
