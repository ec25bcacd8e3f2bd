"""The operator keeps endpoints, sees what waits and replays it, from the command line."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp

from deploy.local.receivers import Receivers
from services.cli.checks.finding import Verdict
from services.cli.checks.services import _webhooks
from services.routing.app import build_app
from services.routing.settings import RoutingSettings
from tests.cli.conftest import Netral
from tests.conftest import Broker
from tests.ports import free_port
from tests.routing.delivery.pushing import desk

pytestmark = pytest.mark.broker


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def url(receivers: Receivers) -> Iterator[str]:
    yield from served(receivers.app(), free_port(), lifespan="off")


@pytest.fixture
def operated(netral: Netral, fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Netral]:
    """`netral` with a routing service that may push to this machine."""
    port, given = free_port(), fresh_nats.settings
    for name, value in (
        ("DATA_DIR", given.data_dir),
        ("NATS_URL", given.nats_url),
        ("ROUTING_PORT", port),
        ("WEBHOOK_UNSAFE_LOOPBACK", "true"),
    ):
        monkeypatch.setenv(f"NETRAL_{name}", str(value))
    server = served(build_app(RoutingSettings()), port)
    next(server)
    until(lambda: netral("webhooks").code == 0)
    yield netral
    next(server, None)


def served(app: ASGIApp, port: int, **options: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", ws="none", **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def until(true: Any) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def test_an_endpoint_is_added_proved_pinged_rotated_moved_and_removed(operated: Netral, url: str) -> None:
    assert operated("webhooks").out == "No endpoint is registered.\n"
    added = operated("webhooks", "add", "bkn", f"{url}/ok", "--json")
    made = json.loads(added.out)
    assert (added.code, made["state"], made["key"][:5]) == (0, "PENDING", "whpk_")
    assert "this once" in added.err or added.err == ""
    key = made["endpoint_id"]
    assert "state: ACTIVE" in operated("webhooks", "prove", key).out
    assert "outcome: DELIVERED" in operated("webhooks", "ping", key).out
    assert "whpk_" in operated("webhooks", "rotate", key, "--overlap", "0").out
    assert f"url: {url}/ok/2" in operated("webhooks", "move", key, f"{url}/ok/2").out
    assert key in operated("webhooks").out
    assert "state: DELETED" in operated("webhooks", "remove", key).out


def test_what_cannot_be_is_said_with_the_cure(operated: Netral, url: str) -> None:
    ran = operated("webhooks", "add", "BKN", "https://10.0.0.1/")
    assert (ran.code, ran.out) == (2, "")
    assert "NETRAL_WEBHOOK_PRIVATE_NETWORKS" in ran.err
    cold = json.loads(operated("webhooks", "add", "BKN", f"{url}/ok?cold=1", "--json").out)
    ran = operated("webhooks", "prove", cold["endpoint_id"])
    assert ran.code == 2
    assert "challenge" in ran.err
    assert operated("deliveries").out == "Nothing was pushed.\n"
    assert operated("deliveries", "replay").code == 2
    assert operated("deliveries", "replay", "--state", "HELD").out == "0 begin anew.\n"
    assert operated("deliveries", "--state", "DONE").code == 2
    assert operated("deliveries", "show", "nothing").code == 2
    assert "ok   webhooks: none held" in operated("doctor").out


async def test_the_doctor_warns_of_the_first_refusal_while_it_is_tried_on(tmp_path: Path, url: str) -> None:
    async with desk(tmp_path) as office:
        await office.endpoint(f"{url}/denied")
        await office.tell()
        await office.round()
        (finding,) = _webhooks(tmp_path / "deliveries.db")
    assert finding.verdict is Verdict.WARN
    assert "1 failing" in finding.says
