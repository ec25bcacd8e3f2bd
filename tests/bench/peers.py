"""Starts and measures other ways to do the same work over Debian's redis-server: Celery, and Node-RED where it is found.

Each comes twice: storing what it was sent, and with a vault, as our door does.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import redis

from deploy.local.processes import spawn, stop
from tests.bench import ours
from tests.bench.page import Figures
from tests.bench.usual import AGENCIES, STORED_BY_THE_USUAL
from tests.ports import free_port
from tests.running import until

STREAMS = ("report", "decided", *(f"offered.{agency}" for agency in AGENCIES["PNS"]))
SEALING = "sealing "
"""Before the name of a peer that has a vault."""
SYNCS = {"always": "", "everysec": " everysec"}
"""Redis' setting `appendfsync`, and what is added to the names of figures under it."""
REDIS = shutil.which("redis-server")
_PLACES = os.environ.get("PATH", ""), f"{os.environ.get('NETRAL_NODE_RED', '')}/node_modules/.bin"
NODE_RED = shutil.which("node-red", path=os.pathsep.join(_PLACES))
"""On PATH, or in the folder NETRAL_NODE_RED, where `npm install node-red node-red-contrib-redis` was run."""
_PUBLISHED = Path(__file__).parents[2] / "contracts" / "schemas" / "netral.report.v1.json"


@contextmanager
def at_rest(worker: Popen[bytes], *, group: bool = False) -> Iterator[None]:
    """A worker, with `group` that and its children, does nothing meanwhile."""
    send = os.killpg if group else os.kill
    send(worker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        send(worker.pid, signal.SIGCONT)


class Peers:
    """One Redis and the processes of each peer; all are stopped together.

    `vault` is the address of an empty database for Celery's door; Node-RED keeps its vault in Redis.
    """

    def __init__(self, folder: Path, vault: str) -> None:
        self.folder = folder / "peers"
        self.vault = vault
        self.port = free_port()
        self.redis = redis.Redis(port=self.port)
        self.doors: dict[str, str] = {}
        self.running: list[Popen[bytes]] = []

    async def start(self) -> None:
        self.folder.mkdir()
        assert REDIS
        kept = ("--dir", str(self.folder), "--save", "", "--appendonly", "yes", "--appendfsync", "always")
        self._spawn(REDIS, "--bind", "127.0.0.1", "--port", str(self.port), *kept)
        await until(self._redis_answers)
        self._celery()
        if NODE_RED:
            self._node_red()
        for url in self.doors.values():
            await until(lambda url=url: _refuses(url))  # type: ignore[misc]

    def stop(self) -> None:
        """Redis last."""
        self.redis.close()
        for process in reversed(self.running):
            stop(process)

    async def measure(self, figures: Figures, run: str, size: int) -> None:
        """Each door while the worker rests, as ours is measured; then each road with everything running.

        What a door has queued is thrown away: working it off would take longer than all else.
        """
        for sync, added in SYNCS.items():
            self.redis.config_set("appendfsync", sync)
            for peer, url in self.doors.items():
                if added and peer.startswith(SEALING):
                    continue
                name, held = peer + added, self.held()
                with at_rest(self.worker, group=True):
                    speed, took = await ours.door(url, f"{run} {sync}", size)
                    queued = int(self.redis.llen("celery"))
                    self.redis.delete("celery")
                figures.add(f"{name} door", speed)
                figures.add(f"{name} door, p99", 1000 * took[int(0.99 * len(took))], unit="ms")
                await self.reached(held + STORED_BY_THE_USUAL * (size - queued))
                started = time.perf_counter()
                await self.road(url, f"{run} {sync} road", size)
                figures.add(f"{name} road", size / (time.perf_counter() - started))

    async def road(self, url: str, run: str, size: int) -> None:
        """From the first request to the last message."""
        goal = self.held() + STORED_BY_THE_USUAL * size
        await ours.door(url, run, size)
        await self.reached(goal)

    def held(self) -> int:
        """Messages in all streams."""
        return sum(int(self.redis.xlen(stream)) for stream in STREAMS)

    async def reached(self, goal: int) -> None:
        """Wait until the streams hold so many messages."""

        async def there() -> bool:
            return self.held() >= goal

        await until(there, 600)

    def _celery(self) -> None:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING")
        app = ("-A", "tests.bench.celery_app", "worker", "--concurrency", "2", *quiet)
        self.worker = self._spawn(sys.executable, "-m", "celery", *app)
        for name, vault in (("Celery", ""), (SEALING + "Celery", self.vault)):
            serving = ("--port", self._door(name), "--log-level", "warning", "--no-access-log")
            self._spawn(sys.executable, "-m", "uvicorn", "tests.bench.celery_app:door", *serving, vault=vault)

    def _node_red(self) -> None:
        assert NODE_RED
        for name, vault in (("Node-RED", ""), (SEALING + "Node-RED", "yes")):
            home = self.folder / f"node-red{bool(vault)}"
            home.mkdir()
            flow = shutil.copy(Path(__file__).with_name("node_red.json"), home)
            own = ("--userDir", str(home), "-D", "uiHost=127.0.0.1", "-D", "httpAdminRoot=false")
            self._spawn(NODE_RED, "--port", self._door(name), *own, str(flow), vault=vault)

    def _door(self, peer: str) -> str:
        port = str(free_port())
        self.doors[peer] = f"http://127.0.0.1:{port}"
        return port

    def _spawn(self, *argv: str, vault: str = "") -> Popen[bytes]:
        told = {
            "NETRAL_BENCH_REDIS": f"redis://127.0.0.1:{self.port}/0",
            "NETRAL_BENCH_SCHEMA": _schema(),
            "NETRAL_BENCH_VAULT": vault,
        }
        process = spawn([*argv], self.folder / "log", told)
        self.running.append(process)
        return process

    async def _redis_answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.ConnectionError:
            return False


def _schema() -> str:
    """The published schema of a report, without the two words that stop Node-RED's validator."""

    def known(found: dict[str, Any]) -> dict[str, Any]:
        return {word: value for word, value in found.items() if word not in {"$schema", "format"}}

    return json.dumps(json.loads(_PUBLISHED.read_text(encoding="utf-8"), object_hook=known))


async def _refuses(url: str) -> bool:
    """Whether an empty report is refused: the whole door is there."""
    try:
        async with httpx.AsyncClient() as client:
            return (await client.post(url + "/v1/reports", json={})).status_code == 422
    except httpx.HTTPError:
        return False
