"""What an operator does through the doors in the middle of a storm, each repeated until it is done."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import nats

from services.routing.rulebook_files import HERE, files_of

T = TypeVar("T")
TROUBLE = (OSError, TimeoutError, httpx.HTTPError, nats.errors.Error, nats.js.errors.Error)


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

    async def _ask(self, method: str, path: str, body: dict[str, object]) -> dict[str, object]:
        async with httpx.AsyncClient(timeout=10, headers=self._headers) as http:
            answer = await http.request(method, f"{self._url}/v1/operator/{path}", json=body)
            answer.raise_for_status()
        return dict(answer.json())
