"""A TCP proxy between two of ours that can be slow, swallow everything, refuse, or cut what is open."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from enum import StrEnum

from tests.ports import free_port


class Weather(StrEnum):
    """CLEAR passes; SLOW delays every piece; HOLE keeps connections open and lets nothing through; CUT resets them."""

    CLEAR = "clear"
    SLOW = "slow"
    HOLE = "hole"
    CUT = "cut"


@dataclass
class Proxy:
    """Listens on a port of its own and passes everything on to `target` on this machine; `delay` is seconds."""

    target: int
    port: int = field(default_factory=free_port)
    weather: Weather = Weather.CLEAR
    delay: float = 0.1
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _passable: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._passable.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=1 << 20)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        self._cut()

    def turn(self, weather: Weather) -> None:
        """Change the weather; what is open feels it at once. After a hole no connection is worth keeping."""
        was, self.weather = self.weather, weather
        if weather is Weather.HOLE:
            self._passable.clear()
        else:
            self._passable.set()
        if weather is Weather.CUT or was is Weather.HOLE:
            self._cut()

    def _cut(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather is Weather.CUT:
            writer.transport.abort()
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target, limit=1 << 20)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, there[1]}
        self._open |= ends
        try:
            await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))
        finally:
            self._open -= ends

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(1 << 16):
                await self._passable.wait()
                if self.weather is Weather.SLOW:
                    await asyncio.sleep(self.delay)
                writer.write(piece)
                await writer.drain()
        writer.close()
