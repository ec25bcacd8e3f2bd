"""The broker speaks TLS where it is told to, and nobody of ours talks to one whose certificate is another's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from contracts.receiver.stream import AgencyStream, CannotConnect
from deploy.local.secrets import CannotStart
from deploy.local.settings import UpSettings
from services.runtime.bus import BrokerAway, Bus
from services.runtime.messaging import open_broker
from services.runtime.settings import BadSettings, Settings
from tests.conftest import Broker

pytestmark = pytest.mark.broker
SEED = "SUAMQ3L7IYGFQHBBQYWUNHSEWKH4FBSZ5WYYUHAFZVEHO3GRGPCBJEBCFU"


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Broker]:
    ca, other = trustme.CA(), trustme.CA()
    certificate = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    broker = Broker(tmp_path / "data")
    broker.server.tls = tmp_path / "cert.pem", tmp_path / "key.pem"
    broker.settings = settings(broker, tmp_path / "ca.pem")
    broker.start()
    yield broker
    broker.stop()


def settings(broker: Broker, ca: Path | None) -> Settings:
    address = f"tls://127.0.0.1:{broker.port}"
    return Settings(data_dir=broker.data_dir, nats_url=address, nats_tls_ca=ca)


async def test_services_publish_and_consume_over_tls(secured: Broker) -> None:
    bus = await Bus.connect(secured.settings, "routing", wait=False)
    assert await bus.read("cases.x.decided") is None
    await bus.close()
    broker = open_broker(secured.settings, "routing")
    await broker.start()
    assert await broker.ping(timeout=5)
    await broker.stop()


@pytest.mark.parametrize("ca", ["other.pem", None])
async def test_a_broker_with_a_foreign_certificate_is_not_spoken_to(secured: Broker, ca: str | None) -> None:
    foreign = settings(secured, secured.data_dir.parent / ca if ca else None)
    with pytest.raises(BrokerAway):
        await Bus.connect(foreign, "routing", wait=False)


async def test_an_agency_does_not_show_its_key_to_a_foreign_broker(secured: Broker) -> None:
    stream = AgencyStream(
        secured.settings.nats_url, SEED, "BKN", tls_ca=str(secured.data_dir.parent / "other.pem")
    )
    with pytest.raises(CannotConnect, match="certificate"):
        await stream.__aenter__()


async def test_a_file_of_certificates_that_cannot_be_read_names_the_setting(secured: Broker) -> None:
    with pytest.raises(BadSettings, match="NETRAL_NATS_TLS_CA"):
        await Bus.connect(settings(secured, secured.data_dir / "nowhere.pem"), "routing", wait=False)


def test_a_broker_without_a_certificate_stays_on_this_machine(tmp_path: Path) -> None:
    everywhere = ".".join("0000")
    with pytest.raises(CannotStart, match="NETRAL_BROKER_CERT"):
        _ = UpSettings(data_dir=tmp_path, broker_host=everywhere).broker_tls
    given = UpSettings(data_dir=tmp_path, broker_host=everywhere, broker_cert=tmp_path, broker_key=tmp_path)
    assert given.broker_tls
