"""A real nats-server of these tests' own, with the stream of reports."""

import asyncio
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import nats
from nats.js.api import StorageType, StreamConfig

PASSWORD = "a-password"


class Broker:
    """Keeps its port and its data over stop and start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process = None

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    async def start(self):
        program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
        arguments = ["-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self._folder)]
        arguments += ["--user", "intake", "--pass", PASSWORD]
        self._process = subprocess.Popen([program, *arguments], stderr=subprocess.DEVNULL)  # noqa: ASYNC220
        while True:
            try:
                nc = await nats.connect(self.url, user="intake", password=PASSWORD, max_reconnect_attempts=0)
                break
            except (OSError, nats.errors.Error):
                await asyncio.sleep(0.02)
        await nc.jetstream().add_stream(
            StreamConfig(
                name="REPORTS",
                subjects=["reports.*.accepted"],
                storage=StorageType.FILE,
                allow_direct=True,
                allow_atomic=True,
            )
        )
        await nc.close()

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    async def messages(self):
        """Every message of the stream: subject, headers and body as one byte string."""
        nc = await nats.connect(self.url, user="intake", password=PASSWORD)
        js = nc.jetstream()
        last = (await js.stream_info("REPORTS")).state.last_seq
        found = [await js.get_msg("REPORTS", number) for number in range(1, last + 1)]
        await nc.close()
        return [f"{m.subject}\n{m.headers}\n".encode() + (m.data or b"") for m in found]
