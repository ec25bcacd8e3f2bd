"""An agency sees how far its own stream is, and has events again, through the door it knows."""

import json

import nats as client
import pytest

from contracts.agency_events import STREAM
from contracts.topology import agency_consumer
from deploy.streams import add_consumer
from services.routing.core.decide import Judge
from services.runtime.connecting import connection
from tests.conftest import Broker
from tests.routing.test_agency_feed import at_least
from tests.routing.test_steps_api import opened
from tests.running import System, in_process, until

pytestmark = pytest.mark.broker


async def replay(system: System, body: object, agency: str = "BKN", key: str = "BKN"):  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {system.keys[key]}"}
    return await system.routing.post(f"/v1/agencies/{agency}/stream/replays", json=body, headers=headers)


async def test_a_replay_brings_the_events_again_from_a_place_or_an_instant(
    fresh_nats: Broker, judge: Judge
) -> None:
    nc = await client.connect(**connection(fresh_nats.settings, "operator"))
    js = nc.jetstream()
    async with in_process(fresh_nats, judge=judge) as system:
        assert (await system.get("/v1/agencies/BKN/stream", "BKN")).status_code == 409
        assert (await replay(system, {"sequence": 1})).status_code == 409
        await add_consumer(js, agency_consumer("BKN"))
        await opened(system)
        await until(at_least(fresh_nats, 2))
        pulled = await js.pull_subscribe_bind("BKN", stream=STREAM)
        first = await pulled.fetch(1, timeout=5)
        await first[0].ack_sync()
        before = (await system.get("/v1/agencies/BKN/stream", "BKN")).json()
        assert (before["durable"], before["unacknowledged"]) == ("BKN", 0)
        for wanted in ({"sequence": 1}, {"since": "2020-01-01T00:00:00+07:00"}):
            answer = await replay(system, wanted)
            assert answer.status_code == 200, answer.text
            assert answer.json()["waiting"] == before["waiting"] + 1
            again = await pulled.fetch(1, timeout=5)
            assert json.loads(again[0].data)["id"] == json.loads(first[0].data)["id"]
            await again[0].ack_sync()
        ahead = (await replay(system, {"sequence": 10**9})).json()
        assert ahead["waiting"] == before["waiting"]
    await nc.close()


@pytest.mark.parametrize(
    "body", [{}, {"sequence": 0}, {"since": "2026-11-01"}, {"sequence": 1, "since": "x"}, []]
)
async def test_what_is_no_replay_is_refused_by_name(nats: Broker, judge: Judge, body: object) -> None:
    async with in_process(nats, judge=judge) as system:
        answer = await replay(system, body)
        assert answer.status_code == 422
        assert answer.json()["faults"]


async def test_nobody_replays_another_s_stream(nats: Broker, judge: Judge) -> None:
    async with in_process(nats, judge=judge) as system:
        assert (await replay(system, {"sequence": 1}, key="KPU")).status_code == 404
        document = (await system.routing.get("/asyncapi.json")).json()
        assert document["asyncapi"] == "3.0.0"
