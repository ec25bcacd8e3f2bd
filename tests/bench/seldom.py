"""The same door over a broker that syncs every two minutes, nats-server's own default: what the choice costs."""

import asyncio
from pathlib import Path

from services.runtime.bus import Bus
from tests.bench import limits, ours
from tests.bench.page import Figures
from tests.conftest import Broker
from tests.running import Processes


class Seldom:
    """A broker and an intake of their own, which rest while others are measured."""

    def __init__(self, folder: Path) -> None:
        self._broker = Broker(folder, sync="2m")
        self._system = Processes(self._broker, anew=True)
        self._bus: Bus | None = None

    async def start(self, run: str) -> None:
        """Ready, and warm."""
        await asyncio.to_thread(self._broker.start)
        self._bus = await Bus.connect(self._broker.settings, "operator")
        await limits.prepare(self._bus.js)
        self._system.start("intake")
        await self._system.ready("intake")
        await ours.door(self._system.url("intake"), run, 100)

    async def measure(self, figures: Figures, run: str, size: int) -> None:
        """While nobody else works; what the door leaves to be compared is compared before it ends."""
        assert self._bus
        raw = await limits.publish(self._bus.js, 4 * size)
        figures.add("raw publish, synced every 2 min", raw, limit="raw publish")
        speed, _ = await ours.door(self._system.url("intake"), run, size)
        figures.add("our door, broker synced every 2 min", speed, limit="our door")
        await ours.drained(self._bus.js, ("intake",))

    async def stop(self) -> None:
        self._system.stop()
        if self._bus:
            await self._bus.close()
        self._broker.stop()
