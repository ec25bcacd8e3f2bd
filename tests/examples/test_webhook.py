"""The example receiver, started as its own first line says, proves itself and takes what Netral sends."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.builders import a_report
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.ports import free_port
from tests.running import Clock, in_process, until

pytestmark = [pytest.mark.broker, pytest.mark.thorough]
FOLDER = Path(__file__).parents[2] / "examples" / "python"


async def test_the_example_receiver_answers_the_challenge_and_prints_the_event(
    fresh_nats: Broker, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/netral"
    real = Clock(datetime.now(UTC))  # the receiver has a clock of its own
    opened = {"webhook_unsafe_loopback": True}
    async with in_process(fresh_nats, judge=packaged_judge(), clock=real, routing=opened) as system:
        headers = {"Authorization": f"Bearer {system.keys['BKN']}"}
        root = "/v1/agencies/BKN/webhooks"
        made = (await system.routing.post(root, json={"url": url}, headers=headers)).json()
        env = {**os.environ, "NETRAL_WEBHOOK_KEY": made["key"], "PYTHONPATH": str(FOLDER.parents[1])}
        argv = [sys.executable, "-m", "uvicorn", "webhook:app", "--app-dir", str(FOLDER), "--port", str(port)]
        with (tmp_path / "out").open("wb") as output:
            receiver = await asyncio.create_subprocess_exec(*argv, cwd=tmp_path, env=env, stdout=output)
        try:
            await until(lambda: _listens(url))
            proved = await system.routing.post(f"{root}/{made['endpoint_id']}/prove", headers=headers)
            assert proved.status_code == 200, proved.text
            ticket = (await system.send(a_report(), "k1")).json()["ticket"]

            async def printed() -> bool:
                return f"id.netral.agency.offered.v1 {ticket} " in (tmp_path / "out").read_text()

            await until(printed)
        finally:
            receiver.kill()
            await receiver.wait()


async def _listens(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.post(url, content=b"{}")).status_code == 401
        except httpx.HTTPError:
            return False
