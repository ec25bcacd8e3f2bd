"""How long the operator's and the agencies' questions take over many cases, and whether each is answered by an index.

`python -m tests.bench.views --cases 1000 100000 1000000 [--postgres]`; the limit of every question is 100 ms.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing import views_tables as tables
from services.routing.deciding import load_judge
from services.routing.inbox import Wanted, page_of_inbox
from services.routing.matter_queries import MatterQueries
from services.routing.projecting import Entry
from services.routing.stats import Stats
from services.routing.story_pages import page_of_story
from services.routing.views import Views
from services.runtime.database import open_engine
from tests.bench.views_filling import NOW, Life, fill, lives, rows_of
from tests.postgres import PostgresServer

LIMIT = 0.1
ROUNDS = 7
GROUP = 100
"""Events kept in one commit, as many as usually wait together."""
YEAR = timedelta(365)


Question = Callable[[], Awaitable[Any]]


async def questions(views: Views) -> dict[str, Question]:
    """Each at its worst: unfiltered, filtered, and with a cursor deep in."""
    engine, m = views.engine, tables.matters.c
    queries, stats = MatterQueries(engine), Stats(engine)
    async with engine.connect() as connection:
        half = (await connection.execute(select(func.count()).where(m.closed.is_(False)))).scalar_one() // 2
        middle = (
            select(m.since, m.case_id, m.ref)
            .where(m.closed.is_(False))
            .order_by(m.since)
            .offset(half)
            .limit(1)
        )
        since, case_id, ref = (await connection.execute(middle)).one()
        ticket = (await connection.execute(select(tables.cases.c.ticket).limit(1))).scalar_one()
    deep, old = (since, f"{case_id}/{ref}"), (NOW - YEAR / 2, case_id)

    async def story() -> None:
        case = await views.case(ticket)
        assert case
        await views.offers([case["case_id"]])
        await views.matters([case["case_id"]])
        await views.steps(case["case_id"])
        await page_of_story(engine, case["case_id"], None)

    def inbox(**narrowed: Any) -> Question:
        return lambda: page_of_inbox(engine, Wanted("BAWASLU", **narrowed))

    def listed(owner: str | None, state: str | None, after: Any = None, **narrowed: bool) -> Question:
        return lambda: queries.waiting(owner, state, after, 51, **narrowed)

    return {
        "inbox, newest": inbox(),
        "inbox, deep": inbox(after=old),
        "inbox, one office": inbox(office="kabkota:52.04"),
        "inbox, by limit": inbox(order="due"),
        "list": listed(None, None),
        "list, deep": listed(None, None, deep),
        "list, owner": listed("PPK", None, deep),
        "list, state": listed(None, "RECOMMENDED", deep),
        "list, owner and state": listed("BKN", "OVERDUE", deep),
        "list, over the limit": listed("BKN", None, deep, over_limit=True),
        "orphans": listed(None, None, orphans=True),
        "stats by owner, state": lambda: stats.answer(("owner", "state"), NOW),
        "stats by all five": lambda: stats.answer(("owner", "state", "stage", "class", "province"), NOW),
        "story by ticket": story,
    }


async def measured(asked: Question) -> float:
    """The median, in seconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await asked()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


async def scans(engine: AsyncEngine, asked: Question) -> list[str]:
    """The large tables SQLite reads whole for a question; nothing is known of other databases here."""
    if engine.dialect.name != "sqlite":
        return []
    found: list[str] = []

    def explain(_c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.extend(row[-1] for row in cursor.fetchall())

    event.listen(engine.sync_engine, "before_cursor_execute", explain)
    await asked()
    event.remove(engine.sync_engine, "before_cursor_execute", explain)
    large = ("matters", "inbox", "timers", "cases", "case_reports", "notices", "steps", "offers")
    return [line for line in found if line.startswith(tuple(f"SCAN {name}" for name in large))]


async def cost(views: Views, new: list[Life]) -> float:
    """Seconds of this process for each event that is kept beside all that is there already, the median of the commits."""
    events = [event for life in new for event in (life.decided, *life.steps)]
    entries = [Entry("CASES", number, event) for number, event in enumerate(events, 1)]
    spent = []
    for at in range(0, len(entries), GROUP):
        part, began = entries[at : at + GROUP], time.process_time()
        await views.keep_all(part)
        spent.append((time.process_time() - began) / len(part))
    return statistics.median(spent)


async def show(address: str, cases: int, new: list[Life]) -> tuple[bool, float]:
    """Whether every question is answered soon and by index, and what an event costs beside so many cases."""
    views = Views(open_engine(address, durable=False))
    await views.open()
    began = time.perf_counter()
    await fill(views.engine, cases, [rows_of(life) for life in new])
    print(f"\n{cases:,} cases on {views.engine.dialect.name}, filled in {time.perf_counter() - began:.0f} s")
    good = True
    for name, asked in (await questions(views)).items():
        took, read = await measured(asked), await scans(views.engine, asked)
        good = good and took < LIMIT and not read
        verdict = f"  {read}" if read else "  by index" if views.engine.dialect.name == "sqlite" else ""
        print(f"  {name:24} {1000 * took:8.1f} ms{verdict}{'' if took < LIMIT else '  TOO SLOW'}")
    spent = await cost(views, new)
    print(f"  {'to keep an event':24} {1000 * spent:8.2f} ms of CPU")
    await views.engine.dispose()
    return good, spent


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


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    new = lives(load_judge())
    async with addresses(postgres=given.postgres) as address:
        shown = [await show(address(), cases, new) for cases in given.cases]
    good = all(answered for answered, _ in shown)
    print(f"\nEvery question under {1000 * LIMIT:.0f} ms: {'yes' if good else 'NO'}")
    (_, few), (_, many) = shown[0], shown[-1]
    print(
        f"An event beside {given.cases[-1]:,} cases costs {many / few:.2f} of one beside {given.cases[0]:,}"
    )
    raise SystemExit(not good)


if __name__ == "__main__":
    asyncio.run(main())
