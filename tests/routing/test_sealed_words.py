"""A routing service that was started with another case.key than the one the words of the log were sealed with."""

import secrets

import httpx
import pytest

from services.routing.app import build_app
from services.routing.core.decide import Judge
from services.routing.sealed_words import ANOTHER_KEY
from services.routing.settings import RoutingSettings
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.running import in_process, until

pytestmark = pytest.mark.broker


async def test_a_service_with_another_key_says_so_and_is_not_ready(fresh_nats: Broker, judge: Judge) -> None:
    key = fresh_nats.data_dir / "secrets" / "case.key"
    first = key.read_text()
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH", reason="kajian no. 1")
        await seen(system, case_id, 1)

    key.write_text(secrets.token_hex(32))
    app = build_app(RoutingSettings(data_dir=fresh_nats.data_dir, nats_url=fresh_nats.settings.nats_url))
    async with app.router.lifespan_context(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://routing")

        async def refused() -> bool:
            return (await client.get("/readyz")).json().get("reasons") == [ANOTHER_KEY]

        await until(refused)

    key.write_text(first)
    async with in_process(fresh_nats, judge=judge) as system:
        assert "kajian no. 1" in str((await seen(system, case_id, 1))["timeline"])
