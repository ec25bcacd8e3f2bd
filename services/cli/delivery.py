"""Brings reports to an intake door: many at once, patiently, each once however often it is tried."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import httpx

from services.cli.sources import Item
from services.cli.web import problem_of, through_proxy

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed."""
REFUSALS = frozenset({400, 409, 413, 415, 422})
"""Answers that are about the report itself."""
LONGEST_PAUSE = 30.0

Say = Callable[[str], None]


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    KNOWN = "already accepted"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """What became of one report; `causes` are one line each."""

    item: Item
    outcome: Outcome
    causes: tuple[str, ...] = ()
    ticket: str = ""
    receipt: str = ""


class Door:
    """One intake door. After it stayed away for as long as our patience lasts, nothing more is tried.

    `say` hears once why we wait.
    """

    def __init__(self, client: httpx.AsyncClient, patience: float, say: Say) -> None:
        self._client = client
        self._patience = patience
        self._say: Say | None = say
        self._away: str | None = None

    async def submit(self, item: Item) -> Result:
        """Try until there is an answer or patience (seconds of waiting) ends."""
        if item.body is None:
            return Result(item, Outcome.REFUSED, item.faults)
        waited, tries = 0.0, 0
        while self._away is None:
            answer = await self._try(item)
            if isinstance(answer, Result):
                return answer
            cause, asked = answer
            rest = pause(tries, asked, item.key)
            waited, tries = waited + rest, tries + 1
            if waited > self._patience:
                self._away = cause
                return Result(item, Outcome.FAILED, (cause,))
            self._explain_waiting(cause)
            await asyncio.sleep(rest)
        return Result(item, Outcome.FAILED, (self._away,))

    def _explain_waiting(self, cause: str) -> None:
        if self._say:
            self._say(f"{cause}; trying again for {self._patience:g} s")
        self._say = None

    async def _try(self, item: Item) -> Result | tuple[str, str | None]:
        """A final result, or the cause why to try again and the answer's Retry-After."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": item.key}
        try:
            response = await self._client.post("/v1/reports", content=item.body, headers=headers)
        except httpx.HTTPError as problem:
            return (
                f"{self._client.base_url}: no answer ({type(problem).__name__}); is `netral up` running?",
                None,
            )
        if response.status_code in AGAIN:
            return f"the door answered {response.status_code}", response.headers.get("retry-after")
        return _final(item, response)


def pause(tries: int, asked: str | None, key: str) -> float:
    """Seconds before the next try: what the door asked for, else doubling from 0.5 s to 30 s.

    Up to a quarter is added, by the key, so that many reports do not come back at the same moment.
    """
    wanted = (
        float(asked)
        if asked is not None and asked.isascii() and asked.isdigit()
        else 0.5 * 2.0 ** min(tries, 6)
    )
    return min(wanted, LONGEST_PAUSE) * (1 + int(key[-4:], 16) / 0x40000)


async def deliver(
    items: Sequence[Item], url: httpx.URL, *, concurrency: int, patience: float, say: Say
) -> AsyncIterator[Result]:
    """The results, as they come. Raises nothing for a door that is away: those reports have FAILED."""
    queue: asyncio.Queue[Result] = asyncio.Queue()
    todo = iter(items)
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(
        base_url=url, timeout=30, limits=limits, trust_env=through_proxy(url)
    ) as client:
        door = Door(client, patience, say)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(items))):
                group.create_task(_work(door, todo, queue))
            for _ in items:
                yield await queue.get()


async def _work(door: Door, todo: Iterator[Item], results: asyncio.Queue[Result]) -> None:
    for item in todo:
        results.put_nowait(await door.submit(item))


def _final(item: Item, response: httpx.Response) -> Result:
    document = problem_of(response)
    if response.status_code == httpx.codes.ACCEPTED and isinstance(document.get("ticket"), str):
        return Result(item, Outcome.ACCEPTED, (), document["ticket"], str(document.get("receipt", "")))
    if response.status_code in REFUSALS:
        return Result(item, Outcome.REFUSED, _causes(response))
    return Result(
        item, Outcome.FAILED, (f"{response.url.host} answered {response.status_code}; is it an intake door?",)
    )


def _causes(response: httpx.Response) -> tuple[str, ...]:
    document = problem_of(response)
    errors = document.get("errors")
    named = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    lines = [f"{error.get('pointer') or '/'}: {error.get('detail')}" for error in named]
    return tuple(lines) or (str(document.get("detail") or f"answered {response.status_code}"),)
