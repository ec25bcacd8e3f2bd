"""What our processes do: accept, route, mail, come back after kill -9, and how much memory they hold."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx
from nats.js import JetStreamContext

from contracts.topology import CONSUMERS
from services.runtime.clock import now
from tests.bench.load import body, post_reports
from tests.running import Processes, until

CONNECTIONS = 64
NAMES = ("intake", "routing", "notifications")
ROAD = ("REPORTS", "CASES", "TOLD")


@dataclass
class Stored:
    """Messages of a report in the streams of cases and of the agencies."""

    cases: float
    told: float

    @property
    def all(self) -> float:
        """With the report itself."""
        return 1 + self.cases + self.told


async def door(url: str, run: str, count: int) -> tuple[float, list[float]]:
    """Reports a second that were answered 202, and the seconds of each answer in order of size."""
    started = time.perf_counter()
    took = await post_reports(url, count, CONNECTIONS, run)
    return count / (time.perf_counter() - started), sorted(took)


async def answers(url: str) -> bool:
    """Whether somebody answers there, whatever it says."""
    try:
        async with httpx.AsyncClient() as client:
            await client.get(url)
    except httpx.HTTPError:
        return False
    return True


async def held(js: JetStreamContext, stream: str) -> int:
    """Messages in a stream."""
    return int((await js.stream_info(stream)).state.messages)


async def stored(url: str, run: str, js: JetStreamContext, count: int) -> Stored:
    """Send some reports, wait until routing is through, and count what a report leaves behind."""
    before = await held(js, "CASES"), await held(js, "TOLD")
    await post_reports(url, count, CONNECTIONS, run)
    await drained(js)
    after = await held(js, "CASES"), await held(js, "TOLD")
    return Stored((after[0] - before[0]) / count, (after[1] - before[1]) / count)


async def road(url: str, run: str, js: JetStreamContext, count: int, each: Stored) -> tuple[float, float]:
    """Reports and stored messages a second from the first request to the last agency's event, passed limits included."""
    before = {name: await held(js, name) for name in ROAD}
    started = now()
    await post_reports(url, count, CONNECTIONS, run)
    await reached(js, {"CASES": before["CASES"] + each.cases * count})
    await drained(js)
    took = (max([await _last(js, name) for name in ROAD]) - started).total_seconds()
    stored = sum([await held(js, name) - before[name] for name in ROAD])
    return count / took, stored / took


async def _last(js: JetStreamContext, stream: str) -> datetime:
    seq = (await js.stream_info(stream)).state.last_seq
    at: datetime | None = (await js.get_msg(stream, seq)).time
    assert at is not None
    return at


async def backlog(js: JetStreamContext, count: int, begin: Callable[[], None]) -> float:
    """Reports a second that routing works off once it has begun."""
    before = (await js.consumer_info("REPORTS", "routing")).num_pending or 0
    begin()

    async def pending(most: int) -> bool:
        info = await js.consumer_info("REPORTS", "routing")
        return (info.num_pending or 0) + (info.num_ack_pending or 0) <= most

    await until(lambda: pending(before - 1), 120)
    started = time.perf_counter()
    await until(lambda: pending(0), 300)
    return count / (time.perf_counter() - started)


async def reached(js: JetStreamContext, goals: dict[str, float]) -> None:
    """Wait until streams hold so many messages."""

    async def there() -> bool:
        return all([await held(js, stream) >= goal for stream, goal in goals.items()])

    await until(there, 600)


async def drained(js: JetStreamContext, services: tuple[str, ...] = ("routing", "intake")) -> None:
    """Wait until every durable of these services has handled everything, three times in a row."""
    quiet = 0
    while quiet < 3:
        infos = [await js.consumer_info(c.stream, c.name) for c in CONSUMERS if c.service in services]
        busy = any(info.num_pending or info.num_ack_pending for info in infos)
        quiet = 0 if busy else quiet + 1
        await asyncio.sleep(0.1)


async def mails(js: JetStreamContext, count: int) -> float:
    """Mails a second until so many more have ended and are told; all that waits for notifications is recorded first."""
    first = await held(js, "NOTICES")
    await drained(js, ("notifications",))
    await reached(js, {"NOTICES": first + 1})
    before, started = await held(js, "NOTICES"), time.perf_counter()
    await reached(js, {"NOTICES": before + count})
    return (await held(js, "NOTICES") - before) / (time.perf_counter() - started)


async def recovery(url: str, name: str, kill: Callable[[], None]) -> float:
    """Seconds from kill -9 and the start of a new process to the next report that is accepted."""
    started = time.perf_counter()
    kill()

    async def accepted() -> bool:
        try:
            async with httpx.AsyncClient(timeout=10) as http:
                headers = {"Content-Type": "application/json", "Idempotency-Key": name}
                answer = await http.post(url + "/v1/reports", content=body(name), headers=headers)
                return answer.status_code == 202
        except httpx.HTTPError:
            return False

    await until(accepted, 120)
    return time.perf_counter() - started


async def started(system: Processes, name: str) -> float:
    """Seconds from the start of a service until it is ready."""
    began = time.perf_counter()
    system.start(name)
    await system.ready(name)
    return time.perf_counter() - began
