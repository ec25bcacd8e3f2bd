"""An agency that reads its events over HTTP through the whole storm, with keys that are replaced under it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from services.runtime.reading import Stored

AGENCY = "BAWASLU"


@dataclass
class Reader:
    """`key` is the present one; `heard` are the events in the order they came, `place` where it goes on."""

    url: str
    key: str
    place: str = "0"
    heard: list[str] = field(default_factory=list)
    refused: int = 0
    """Times its key was not taken: it was revoked, and its successor not given yet."""

    async def read(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(timeout=5) as http:
            while True:
                if not await self.next_page(http):
                    await asyncio.sleep(0.2)

    async def next_page(self, http: httpx.AsyncClient) -> bool:
        """Take what came since the last page; whether there was anything."""
        headers = {"Authorization": f"Bearer {self.key}", "Last-Event-ID": self.place}
        try:
            answer = await http.get(f"{self.url}/v1/agencies/{AGENCY}/events", headers=headers)
        except httpx.HTTPError:
            return False
        if answer.status_code != 200:
            self.refused += answer.status_code == 401
            return False
        page = answer.json()
        self.heard += [one["event"]["id"] for one in page["events"]]
        self.place = page["last_event_id"]
        return bool(page["events"])


def misheard(heard: list[str], told: list[Stored]) -> Iterator[str]:
    """What the reader heard is what the stream tells its agency, each once and in order."""
    meant = [json.loads(one.body)["id"] for one in told if one.subject.split(".")[1] == AGENCY]
    if heard != meant:
        missing, twice = len(set(meant) - set(heard)), len(heard) - len(set(heard))
        yield f"{AGENCY} heard {len(heard)} of {len(meant)} events: {missing} are missing, {twice} came twice"
