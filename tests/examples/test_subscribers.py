"""The examples an integrator copies do what they say, against the real broker with the agency's own rights."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import nats as client
import pytest

from contracts.receiver.nkey import seed_of
from contracts.topology import agency_consumer
from deploy.local.identities import Identities
from deploy.streams import add_consumer
from services.routing.core.decide import Judge
from services.runtime.connecting import connection
from tests.conftest import Broker
from tests.packaged import packaged_judge
from tests.routing.core.test_telling import Told

pytestmark = [pytest.mark.broker, pytest.mark.thorough]
EXAMPLES = Path(__file__).parents[2] / "examples"
BODY = "BAWASLU/kabkota:52.04"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return packaged_judge()


@pytest.fixture
def told(fresh_nats: Broker, judge: Judge, tmp_path: Path) -> tuple[dict[str, str], list[str]]:
    """The environment of a subscriber, and the lines it must print for two cases."""
    seed = seed_of(secrets.token_bytes(32))
    identities = Identities(fresh_nats.data_dir)
    lines: list[str] = []

    async def publish() -> None:
        nc = await client.connect(**connection(fresh_nats.settings, "operator"))
        js = nc.jetstream()
        await add_consumer(js, agency_consumer(*BODY.split("/")))
        case = Told(judge)
        for event in [*case.opening, *case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")]:
            ack = await js.publish(event.nats_subject, event.model_dump_json(by_alias=True).encode())  # type: ignore[attr-defined]
            if (event.data.agency, event.data.office) == tuple(BODY.split("/")):  # type: ignore[attr-defined]
                lines.append(f"{ack.seq} {event.type} {event.data.ticket}")  # type: ignore[attr-defined]
        await nc.close()

    asyncio.run(publish())
    identities.add(seed, *BODY.split("/"), datetime(2026, 11, 24, tzinfo=UTC))
    assert identities.reload()
    assert len(lines) == 2
    url = fresh_nats.settings.nats_url
    return {**os.environ, "NETRAL_BROKER": url, "NETRAL_SEED": seed, "NETRAL_AGENCY": BODY}, lines


def lines_of(argv: list[str], env: dict[str, str], folder: Path, count: int) -> list[str]:
    """The first lines a program prints."""
    with (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            argv, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        assert process.stdout
        found = [process.stdout.readline().strip() for _ in range(count)]
        assert all(found), (folder / "stderr").read_text()
        return found
    finally:
        process.kill()
        process.communicate()


def test_the_python_subscriber_prints_every_event_in_its_order(
    told: tuple[dict[str, str], list[str]], tmp_path: Path
) -> None:
    env, lines = told
    env["PYTHONPATH"] = str(EXAMPLES.parent)
    program = str(EXAMPLES / "python" / "subscriber.py")
    assert lines_of([sys.executable, program], env, tmp_path, len(lines)) == lines


def not_installed(npm: str, folder: Path) -> str | None:
    """Why npm could not get what the example needs; it may wait for a registry that does not answer as long as it likes."""
    argv = [npm, "install", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return "the registry does not answer"
    return done.stderr.strip()[-200:] or "for no reason it names" if done.returncode else None


def test_the_node_subscriber_prints_every_event_in_its_order(
    told: tuple[dict[str, str], list[str]], tmp_path: Path
) -> None:
    env, lines = told
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not installed here")
    for name in ("package.json", "subscriber.mjs"):
        shutil.copy(EXAMPLES / "node" / name, tmp_path)
    if trouble := not_installed(npm, tmp_path):
        pytest.skip(f"npm could not install the package nats: {trouble}")
    assert lines_of([node, "subscriber.mjs"], env, tmp_path, len(lines)) == lines


def test_the_examples_are_as_short_as_we_promise() -> None:
    for path in [
        EXAMPLES / "python" / "subscriber.py",
        EXAMPLES / "python" / "webhook.py",
        EXAMPLES / "node" / "subscriber.mjs",
    ]:
        code = [
            line
            for line in path.read_text().splitlines()
            if line.strip() and not line.startswith(("//", '"""'))
        ]
        assert len(code) <= 25, path
    assert json.loads((EXAMPLES / "node" / "package.json").read_text())["dependencies"] == {"nats": "^2.29.0"}
