"""What an operator does through the doors in the middle of a storm, each repeated until it is done."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import httpx
import nats

from services.routing.rulebook_files import HERE, files_of
from services.runtime.connecting import connection
from services.runtime.settings import BadSettings
from tests.conftest import Broker

T = TypeVar("T")
TROUBLE = (OSError, TimeoutError, BadSettings, httpx.HTTPError, nats.errors.Error, nats.js.errors.Error)


async def insist(work: Callable[[], Awaitable[T]], patience: float = 240) -> T:
    """Repeat until it works: the deed must be done, whatever else goes wrong at that moment. Raises what lasts."""
    given_up = time.monotonic() + patience
    while True:
        try:
            return await work()
        except TROUBLE:
            if time.monotonic() > given_up:
                raise
            await asyncio.sleep(0.3)


@asynccontextmanager
async def as_operator(broker: Broker) -> AsyncIterator[nats.NATS]:
    """A connection past every proxy. Raises what `insist` repeats."""
    nc = await nats.connect(**connection(broker.settings, "operator"), allow_reconnect=False)
    try:
        yield nc
    finally:
        await nc.close()


async def storage_works(broker: Broker) -> bool:
    """Whether a broker whose disk was full uses it again."""
    try:
        async with as_operator(broker) as nc:
            await nc.jetstream(timeout=2).account_info()
        async with httpx.AsyncClient(timeout=2) as http:
            url = f"http://127.0.0.1:{broker.monitor_port}/healthz"
            return (await http.get(url)).status_code == httpx.codes.OK
    except TROUBLE:
        return False


async def rekey(env: dict[str, str], dies_after: float | None = None) -> None:
    """`netral rekey`, killed after so many seconds if it is not done by then. Raises OSError where it could not."""
    words = [
        sys.executable,
        "-c",
        "import sys; from services.cli.main import main; sys.exit(main())",
        "rekey",
    ]
    run: partial[subprocess.CompletedProcess[bytes]] = partial(
        subprocess.run, words, env={**os.environ, **env}, check=False, capture_output=True
    )
    try:
        done = await asyncio.to_thread(run, timeout=dies_after)
    except subprocess.TimeoutExpired:
        return
    if done.returncode and dies_after is None:
        raise OSError(done.stderr.decode(errors="replace"))


class Operator:
    """Speaks to routing at `url` with `key`. Each act raises what `insist` repeats."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._headers = url, {"Authorization": f"Bearer {key}"}

    async def upgrade(self) -> None:
        """The same rules under a new name: what was decided before must still be found right by the checker."""
        files = {name: raw.decode() for name, raw in files_of(HERE).items()}
        version = next(line for line in files["book.yaml"].splitlines() if line.startswith("version:"))
        files["book.yaml"] = files["book.yaml"].replace(version, 'version: "2027.1.0"')
        await self._ask("PUT", "rulebook", {"files": files})

    async def new_key(self, holder: str) -> tuple[str, str]:
        """A key that may read, and its id."""
        made = await self._ask("POST", "keys", {"holder": holder, "scopes": ["read"]})
        return str(made["key"]), str(made["key_id"])

    async def revoke(self, key_id: str) -> None:
        await self._ask("POST", f"keys/{key_id}/revocation", {})

    async def register(self, agency: str, url: str) -> tuple[str, str]:
        """An endpoint for all of an agency, not proved yet: its id and its key."""
        made = await self._ask("POST", "webhooks", {"agency": agency, "url": url})
        return str(made["endpoint_id"]), str(made["key"])

    async def prove(self, endpoint_id: str) -> None:
        """Also one in use: what waits for it begins its schedule anew."""
        await self._ask("POST", f"webhooks/{endpoint_id}/prove", {})

    async def _ask(self, method: str, path: str, body: dict[str, object]) -> dict[str, object]:
        async with httpx.AsyncClient(timeout=10, headers=self._headers) as http:
            answer = await http.request(method, f"{self._url}/v1/operator/{path}", json=body)
            answer.raise_for_status()
        return dict(answer.json())
