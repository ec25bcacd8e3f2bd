"""Questions to a database that holds few rows and to one that holds many: how long each takes, and by which index."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.plans import plans
from tests.postgres import PostgresServer

LIMIT = 0.1
"""Seconds any question may take."""
ROUNDS = 7
Question = Callable[[], Awaitable[Any]]


@dataclass
class Scale:
    """So many of `what`: seconds of each question, tables read whole for it, CPU seconds of one more, round by round."""

    size: int
    what: str
    took: dict[str, float] = field(default_factory=dict)
    scans: dict[str, list[str]] = field(default_factory=dict)
    costs: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Every question is answered soon and by index."""
        return max(self.took.values()) < LIMIT and not any(self.scans.values())


async def asked(
    engine: AsyncEngine, scale: Scale, questions: Mapping[str, Question], large: Sequence[str] = ()
) -> None:
    """Ask every question. None may go through all of one of the `large` tables, be it by an index; SQLite tells."""
    for name, question in questions.items():
        scale.took[name] = await _measured(question)
        if large and engine.dialect.name == "sqlite":
            with plans(engine) as found:
                await question()
            whole = tuple(f"SCAN {table}" for table in large)
            scale.scans[name] = [line for line in found if line.startswith(whole)]
            for table in scale.scans[name]:
                print(f"  {name}, {scale.size:,} {scale.what}: {table}")


def section(scales: Sequence[Scale], intro: str, more: str) -> str:
    """What the page says of it; `more` is what one more costs."""
    verdict = "Each is" if all(scale.good for scale in scales) else "NOT each is"
    few, many = scales[0], scales[-1]
    ratio = statistics.median([one / other for one, other in zip(many.costs, few.costs, strict=True)])
    how = "by an index and " if few.scans else ""
    lines = [
        f"{intro}, medians of {ROUNDS}. {verdict} answered {how}within {1000 * LIMIT:.0f} ms.",
        "",
        f"| question | {' | '.join(f'{scale.size:,} {scale.what}' for scale in scales)} |",
        "| --- |" + " --- |" * len(scales),
        *(f"| {name} | {_cells(scale.took[name] for scale in scales)} |" for name in few.took),
        f"| {more}, CPU | {_cells(statistics.median(scale.costs) for scale in scales)} |",
        "",
        f"The last line was measured in turns: beside {many.size:,} {many.what} it is {ratio:.2f} of what it is beside "
        f"{few.size:,} (median of {len(few.costs)} rounds).",
    ]
    return "\n".join(lines)


async def repeated(
    engine: AsyncEngine, tables: Sequence[Table], blocks: int, renamed: Mapping[str, str], first: str
) -> None:
    """The rows there are under other ids until there are `blocks` of them; the indexes are made at the end.

    `renamed` is SQL for the columns that hold ids, with `:block` for a number of eight hex digits; `first` says which
    rows are the block.
    """
    indexes = [index for table in tables for index in table.indexes]
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-800000"):
                await connection.execute(text(f"PRAGMA {pragma}"))
        for index in indexes:
            await connection.run_sync(index.drop)
        for number in range(1, blocks):
            for table in tables:
                await connection.execute(text(_again(table, renamed, first)), {"block": f"{number:08x}"})
        for index in indexes:
            await connection.run_sync(index.create)
        await connection.commit()
        if engine.dialect.name == "sqlite":
            await connection.execute(text("PRAGMA journal_mode=WAL"))


@asynccontextmanager
async def addresses(*, postgres: bool) -> AsyncIterator[Callable[[], str]]:
    """Gives empty databases."""
    if not postgres:
        with tempfile.TemporaryDirectory() as folder:
            names = iter(range(100))
            yield lambda: f"sqlite+aiosqlite:///{Path(folder) / f'{next(names)}.db'}"
        return
    server = PostgresServer()
    await asyncio.to_thread(server.start)
    try:
        yield server.new_database
    finally:
        server.stop()


async def _measured(question: Question) -> float:
    """The median, in seconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await question()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _cells(seconds: Iterable[float]) -> str:
    return " | ".join(f"{1000 * one:.2f} ms" for one in seconds)


def _again(table: Table, renamed: Mapping[str, str], first: str) -> str:
    """The first block with the number of another one in its ids."""
    columns = table.columns.keys()
    quoted = ", ".join(f'"{column}"' for column in columns)
    made = ", ".join(renamed.get(column, f'"{column}"') for column in columns)
    return f"INSERT INTO {table.name} ({quoted}) SELECT {made} FROM {table.name} WHERE {first}"
