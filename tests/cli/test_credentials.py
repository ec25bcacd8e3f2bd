"""`netral agencies credentials`: a key is shown once, opens its own stream only, and ends when it is revoked."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import nats as client
import pytest

from contracts.receiver.stream import AgencyStream, CannotConnect, Delivery
from services.routing.core.decide import Judge
from services.runtime.connecting import connection
from tests.cli.conftest import Netral
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.routing.core.test_telling import Told

pytestmark = pytest.mark.broker


@pytest.fixture
def broker(tmp_path: Path, netral: Netral, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    found = Broker(tmp_path / "broker")
    found.start()
    monkeypatch.setenv("NETRAL_DATA_DIR", str(found.data_dir))
    monkeypatch.setenv("NETRAL_NATS_URL", found.settings.nats_url)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def judge() -> Judge:
    return packaged_judge()


def issued(netral: Netral, body: str, *more: str) -> dict[str, str]:
    ran = netral("agencies", "credentials", *(more or ("issue",)), body, "--json")
    assert ran.code == 0, ran.err
    return dict(json.loads(ran.out))


def told(broker: Broker, judge: Judge) -> None:
    """One case is told to everybody it concerns."""

    async def publish() -> None:
        nc = await client.connect(**connection(broker.settings, "operator"))
        for event in Told(judge).opening:
            await nc.jetstream().publish(event.nats_subject, event.model_dump_json(by_alias=True).encode())  # type: ignore[attr-defined]
        await nc.close()

    asyncio.run(publish())


def read(broker: Broker, key: dict[str, str], count: int, *, done: bool = True) -> list[Delivery]:
    """The next events of the holder of a key. Raises CannotConnect."""

    async def some() -> list[Delivery]:
        found: list[Delivery] = []
        async with AgencyStream(
            broker.settings.nats_url, key["seed"], key["agency"], key["office"]
        ) as stream:  # type: ignore[arg-type]
            while len(found) < count:
                delivery = await anext(aiter(stream))
                found.append(delivery)
                if done:
                    await delivery.done()
        return found

    return asyncio.run(some())


def test_a_key_that_is_issued_late_reads_everything_from_the_start(
    broker: Broker, netral: Netral, judge: Judge
) -> None:
    told(broker, judge)
    key = issued(netral, "BAWASLU/kabkota:52.04")
    (delivery,) = read(broker, key, 1)
    assert (delivery.event.data.agency, delivery.event.data.office) == ("BAWASLU", "kabkota:52.04")
    listed = json.loads(netral("agencies", "credentials", "list", "--json").out)
    assert [(one["durable"], one["waiting"]) for one in listed] == [("BAWASLU-kabkota-52-04", 0)]


def test_the_seed_is_kept_nowhere(broker: Broker, netral: Netral) -> None:
    seed = issued(netral, "BKN")["seed"]
    files = [path for path in broker.data_dir.rglob("*") if path.is_file()]
    assert [path for path in files if seed.encode() in path.read_bytes()] == []


def test_a_revoked_key_opens_nothing_and_its_successor_goes_on_at_the_same_place(
    broker: Broker, netral: Netral, judge: Judge
) -> None:
    told(broker, judge)
    old = issued(netral, "BKN/pusat")
    first = read(broker, old, 1, done=False)
    new = issued(netral, "BKN/pusat", "rotate")
    assert read(broker, old, 0) == []  # both keys are good until the old one is revoked
    ran = netral("agencies", "credentials", "revoke", old["public"])
    assert (ran.code, "opens nothing any more" in ran.out) == (0, True)
    with pytest.raises(CannotConnect, match=r"(?i)authorization|reset"):
        read(broker, old, 1)
    ran = netral("agencies", "replay", "BKN/pusat", "--sequence", "1")
    assert ran.code == 0, ran.err
    again = read(broker, new, 1)
    assert [one.event for one in again] == [one.event for one in first]


def test_a_replay_brings_what_was_done_again_with_the_same_ids(
    broker: Broker, netral: Netral, judge: Judge
) -> None:
    told(broker, judge)
    key = issued(netral, "KEMENDAGRI")
    first = read(broker, key, 1)
    assert netral("agencies", "replay", "KEMENDAGRI", "--since", "2020-01-01T00:00:00+07:00").code == 0
    assert [one.event.id for one in read(broker, key, 1)] == [one.event.id for one in first]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("credentials", "issue", "BKM"), "is not an agency"),
        (("credentials", "issue", "BKN/kantor"), "is not an office"),
        (("credentials", "rotate", "BKN"), "has no key yet"),
        (("credentials", "revoke", "UXX"), "credentials list"),
        (("replay", "KPU", "--sequence", "1"), "credentials issue"),
        (("replay", "KPU"), "--since"),
        (("replay", "KPU", "--since", "2026-11-01"), "with its zone"),
    ],
)
def test_a_mistake_is_one_sentence(broker: Broker, netral: Netral, words: tuple[str, ...], says: str) -> None:
    ran = netral("agencies", *words)
    assert ran.code == 2
    assert says in ran.err


def test_without_a_server_of_its_own_it_says_what_to_copy(broker: Broker, netral: Netral) -> None:
    (broker.data_dir / "nats" / "nats.pid").unlink()
    ran = netral("agencies", "credentials", "issue", "KPU")
    assert ran.code == 0
    assert "agencies.conf" in ran.err
    assert "--signal reload" in ran.err
