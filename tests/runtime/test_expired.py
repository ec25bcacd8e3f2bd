"""A certificate of the broker that ran out is named in the log."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from services.runtime.bus import BrokerAway, Bus
from services.runtime.settings import Settings
from tests.conftest import Broker

pytestmark = pytest.mark.broker


async def test_a_certificate_that_has_expired_is_named(
    tmp_path: Path, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    ca = trustme.CA()
    expired = ca.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(hours=1))
    expired.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    expired.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    broker = Broker(tmp_path / "data")
    broker.server.tls = tmp_path / "cert.pem", tmp_path / "key.pem"
    broker.server.start()
    try:
        address = f"tls://127.0.0.1:{broker.port}"
        settings = Settings(data_dir=broker.data_dir, nats_url=address, nats_tls_ca=tmp_path / "ca.pem")
        with pytest.raises(BrokerAway):
            await Bus.connect(settings, "routing", wait=False)
    finally:
        broker.kill()
    assert "certificate has expired" in {line.get("why") for line in lines()}
