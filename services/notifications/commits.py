"""Group commit: what waits while one transaction runs shares the next, and its one sync to the disk."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.runtime.ending import ended

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[Any]]
MAX_GROUP = 200


class LedgerAway(Exception):
    """The ledger's database did not do what was asked; nothing was half-written."""


class Commits:
    """Runs pieces of work one after another in shared transactions; all of a group are durable, or none."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: asyncio.Queue[tuple[Work, asyncio.Future[Any]]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def do(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """The result of `work`, once it is durable. Raises LedgerAway."""
        if self._closed:
            raise LedgerAway("the ledger was closed")
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((work, done))
        return await done

    async def close(self) -> None:
        """Stop; what still waits is given up, its callers hear LedgerAway."""
        self._closed = True
        if self._task:
            await ended([self._task])
        while not self._waiting.empty():
            _fail([self._waiting.get_nowait()], LedgerAway("the ledger was closed"))

    async def _run(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while not self._waiting.empty() and len(group) < MAX_GROUP:
                group.append(self._waiting.get_nowait())
            await self._commit(group)

    async def _commit(self, group: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        try:
            results = await self._transaction(group)
        except (SQLAlchemyError, OSError) as problem:
            _fail(group, LedgerAway(type(problem).__name__))
        except asyncio.CancelledError:
            _fail(group, LedgerAway("the ledger was closed"))
            raise
        except Exception as problem:  # whatever it is, the callers must hear of it
            _fail(group, problem)
        else:
            for (_, done), result in zip(group, results, strict=True):
                if not done.done():
                    done.set_result(result)

    async def _transaction(self, group: list[tuple[Work, asyncio.Future[Any]]]) -> list[Any]:
        async with self._engine.begin() as connection:
            return [await work(connection) for work, _ in group]


def _fail(group: list[tuple[Work, asyncio.Future[Any]]], problem: Exception) -> None:
    for _, done in group:
        if not done.done():
            done.set_exception(problem)
