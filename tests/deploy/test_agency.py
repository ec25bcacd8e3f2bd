"""The fake agency reads what is its own, writes each event down once, and goes on where it stopped."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from contracts.codes import Agency
from deploy.local.agency import AgencySettings, run
from services.routing.core.decide import Judge
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.routing.test_steps_api import opened, say
from tests.running import in_process, until

pytestmark = pytest.mark.broker


@asynccontextmanager
async def playing(broker: Broker) -> AsyncIterator[None]:
    settings = AgencySettings(
        data_dir=broker.data_dir, nats_url=broker.settings.nats_url, agency=Agency.BKN, routing_port=9
    )
    task = asyncio.create_task(run(settings))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def written(data_dir: Path) -> list[dict[str, Any]]:
    path = data_dir / "agency" / "BKN.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def test_the_fake_agency_writes_down_its_events_and_goes_on_after_a_break(fresh_nats: Broker) -> None:
    judge: Judge = packaged_judge()

    async def heard(count: int) -> list[dict[str, Any]]:
        async def there() -> list[dict[str, Any]] | None:
            found = written(fresh_nats.data_dir)
            return found if len(found) >= count else None

        return list(await until(there))

    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        async with playing(fresh_nats):
            first = await heard(1)
        assert (
            await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
        ).status_code == 200
        async with playing(fresh_nats):
            both = await heard(len(first) + 1)
    assert {event["data"]["agency"] for event in both} == {"BKN"}
    assert len({event["id"] for event in both}) == len(both)
