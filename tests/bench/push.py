"""Push by one worker: how many webhooks a second, and how long a good agency waits beside good ones and beside bad ones.

Bad is one dead, one slow, one lying. `python -m tests.bench.push`; rounds alternate, so that other work meets both.
"""

import asyncio
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import uvloop

from deploy.local.receivers import Receivers
from services.routing.delivery.sender import OF_ENDPOINT
from services.runtime.clock import now
from services.runtime.ending import ended
from tests.routing.delivery.pushing import desk
from tests.routing.delivery.receiving import served
from tests.running import until

ROUNDS, EVENTS, PAUSE = 3, 300, 0.02
LIMIT = 1.2
AGENCIES = ("BAWASLU", "BKN", "PPK", "KPU")


async def waits(bad: bool) -> list[float]:
    """Seconds from the event to its delivery, of the good agency, one event each PAUSE seconds."""
    receivers = Receivers()
    with tempfile.TemporaryDirectory() as folder:
        async with served(receivers) as port, desk(Path(folder), now, webhook_timeout=5) as office:  # type: ignore[arg-type]
            url = f"http://127.0.0.1:{port}"
            await office.endpoint(f"{url}/ok", "BAWASLU")
            addresses = ("/slow?seconds=60", "", "/lying") if bad else ("/ok/2", "/ok/3", "/ok/4")
            for agency, path in zip(AGENCIES[1:], addresses, strict=True):
                await office.endpoint(url + path if path else "http://127.0.0.1:1/", agency)
            running = asyncio.create_task(office.push.sender.run())
            for _ in range(EVENTS):
                for agency in AGENCIES:
                    await office.tell(agency)
                office.push.sender.due.set()
                await asyncio.sleep(PAUSE)

            async def all_done() -> Any:
                done = await office.deliveries(agency="BAWASLU", state="DELIVERED")
                return done if len(done) == EVENTS else None

            done = await until(all_done, 120)
            await ended([running])
            await office.push.sender.stop(0)
    return [(row["ended_at"] - row["created_at"]).total_seconds() for row in done]


async def flat_out(count: int) -> tuple[float, float]:
    """Webhooks a second of a backlog for four agencies; and plain posts of the same size by httpx, as many at once."""
    receivers = Receivers()
    with tempfile.TemporaryDirectory() as folder:
        async with served(receivers) as port, desk(Path(folder), now) as office:  # type: ignore[arg-type]
            url = f"http://127.0.0.1:{port}/ok"
            for number, agency in enumerate(AGENCIES):
                await office.endpoint(f"{url}/{number}", agency)
                await office.tell(agency, number=count // len(AGENCIES))
            began = time.perf_counter()
            running = asyncio.create_task(office.push.sender.run())

            async def all_done() -> bool:
                heard = sum(len(receivers.on(f"/ok/{number}")) for number in range(len(AGENCIES)))
                return heard >= count and not await office.deliveries(state="SENDING")

            await until(all_done, 120)
            ours = count / (time.perf_counter() - began)
            await ended([running])
            assert len(await office.deliveries(state="DELIVERED")) == count
            return ours, await plain(url, count)


async def plain(url: str, count: int) -> float:
    """Posts a second."""
    free = asyncio.Semaphore(len(AGENCIES) * OF_ENDPOINT)
    began = time.perf_counter()
    async with httpx.AsyncClient() as http, asyncio.TaskGroup() as group:
        for _ in range(count):
            await free.acquire()
            sending = group.create_task(http.post(url, content=b"x" * 900))
            sending.add_done_callback(lambda _: free.release())
    return count / (time.perf_counter() - began)


def middle(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


async def main() -> None:
    logging.disable(logging.CRITICAL)
    ours, posts = await flat_out(1000)
    print(f"  {ours:.0f} webhooks/s, {ours / posts:.2f} of {posts:.0f} plain posts/s")
    good: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        good += await waits(bad=False)
        beside += await waits(bad=True)
    for name, values in (("beside good ones", good), ("beside bad ones", beside)):
        print(
            f"  {name:17} p50 {middle(values, 0.5) * 1000:6.0f} ms   p99 {middle(values, 0.99) * 1000:6.0f} ms"
        )
    ratio = middle(beside, 0.99) / middle(good, 0.99)
    print(f"\n  p99 beside bad ones is {ratio:.2f} of p99 beside good ones (limit {LIMIT})")


if __name__ == "__main__":
    uvloop.run(main())
