"""The process itself: it starts, stops when told to, and says in one sentence why it cannot."""

import json
import os
import subprocess
import sys

import httpx
import pytest

from tests.intake.waiting import eventually
from tests.ports import free_port


def environment(data_dir, **more):
    return {"PATH": os.environ["PATH"], "NETRAL_DATA_DIR": str(data_dir), **more}


def test_a_missing_key_is_one_sentence_and_exit_code_1(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "services.intake"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "run `netral up` once" in done.stderr


@pytest.mark.broker
async def test_it_gets_ready_takes_a_report_and_stops_cleanly(fresh_nats, tmp_path):
    from services.intake.openapi import EXAMPLE_REPORT

    port = free_port()
    more = {"NETRAL_NATS_URL": fresh_nats.settings.nats_url, "NETRAL_INTAKE_PORT": str(port)}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-m", "services.intake"],
            env=environment(fresh_nats.data_dir, **more),
            stdout=log,
        )
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

            async def ready():
                try:
                    return (await http.get("/readyz")).status_code == 200
                except httpx.HTTPError:
                    return False

            await eventually(ready)
            assert (await http.post("/v1/reports", json=EXAMPLE_REPORT)).status_code == 202
        process.terminate()
        assert process.wait() == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert "/v1/reports" in [line.get("route") for line in lines]
