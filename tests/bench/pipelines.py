"""Starts and measures the usual pipelines over our own broker: doors, and the workers behind them."""

import time
from collections.abc import Iterator
from subprocess import Popen

from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig

from services.runtime.settings import Settings
from tests.bench import doors, ours
from tests.bench.page import Figures
from tests.bench.peers import SEALING, at_rest
from tests.bench.usual import STORED_BY_THE_USUAL
from tests.bench.usual_keeping import KIND, STORED_BY_THE_KEEPING
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.running import until

USUAL = {"usual": "usual", "sealing": SEALING + "usual"}
"""What the kinds of door are called that are measured with their road; KIND has a road only."""
WORKED = (*USUAL, KIND)
ROADS = (f"{KIND} usual", *USUAL.values())


async def timed(figures: Figures, name: str, url: str, run: str, size: int) -> None:
    """How many reports a second a door takes, and how long it lets wait."""
    speed, took = await ours.door(url, run, size)
    figures.add(name, speed)
    figures.add(f"{name}, p99", 1000 * took[int(0.99 * len(took))], unit="ms")


class Pipelines:
    """Each with a stream and databases of its own."""

    def __init__(self, settings: Settings, js: JetStreamContext, vaults: PostgresServer) -> None:
        self._settings, self._js, self._vaults = settings, js, vaults
        self.urls: dict[str, str] = {}
        self._workers: dict[str, Popen[bytes]] = {}
        self._doors: list[Popen[bytes]] = []

    async def start(self) -> None:
        """Streams, workers and doors, also those without a pipeline; not waited for."""
        for kind in ("empty", "grouped"):
            self._open(kind)
        for kind in WORKED:
            config = StreamConfig(name=kind.upper(), subjects=[f"{kind}.>"], storage=StorageType.FILE)
            await self._js.add_stream(config)
            self._workers[kind] = doors.opened(kind, 0, self._settings, self._vaults.new_database())
            self._open(kind)

    def _open(self, kind: str) -> None:
        port = free_port()
        self.urls[kind] = f"http://127.0.0.1:{port}"
        self._doors.append(doors.opened(kind, port, self._settings, self._vaults.new_database()))

    async def warmed(self, runs: Iterator[str]) -> None:
        """Every door answers, and has taken a hundred reports."""
        for url in self.urls.values():
            await until(lambda url=url: ours.answers(url))  # type: ignore[misc]
            await ours.door(url, next(runs), 100)

    def stop(self) -> None:
        for process in (*self._doors, *self._workers.values()):
            process.terminate()

    async def measure(self, figures: Figures, runs: Iterator[str], size: int) -> None:
        """Each door while its worker rests, as ours is measured; then each road. Where more is done fewer reports do."""
        for kind, name in USUAL.items():
            held = await self._held(kind)
            with at_rest(self._workers[kind]):
                await timed(figures, f"{name} door", self.urls[kind], next(runs), size)
            await self._reached(kind, held + STORED_BY_THE_USUAL * size)
            await self._road(figures, kind, name, next(runs), size, STORED_BY_THE_USUAL)
        await self._road(figures, KIND, f"{KIND} usual", next(runs), size // 4, STORED_BY_THE_KEEPING)

    async def _road(self, figures: Figures, kind: str, name: str, run: str, count: int, stored: int) -> None:
        """From the first request to the last message."""
        goal, started = await self._held(kind) + stored * count, time.perf_counter()
        await ours.door(self.urls[kind], run, count)
        await self._reached(kind, goal)
        figures.add(f"{name} road", count / (time.perf_counter() - started))

    async def _held(self, kind: str) -> int:
        return await ours.held(self._js, kind.upper())

    async def _reached(self, kind: str, goal: int) -> None:
        await ours.reached(self._js, {kind.upper(): goal})
