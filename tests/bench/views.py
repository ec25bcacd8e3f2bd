"""How long the operator's and the agencies' questions take over many cases, and whether each is answered by an index.

`python -m tests.bench.views --cases 1000 100000 1000000 [--postgres] [--keep]`; the limit of every question is 100 ms.
A million cases take 13 GB in TMPDIR. With `--keep` the figures become a section of docs/performance.md.
"""

import argparse
import asyncio
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from services.routing import views_tables as tables
from services.routing.deciding import load_judge
from services.routing.inbox import Wanted, page_of_inbox
from services.routing.matter_queries import MatterQueries
from services.routing.projecting import Entry
from services.routing.stats import Stats
from services.routing.story_pages import page_of_story
from services.routing.timer_queries import TimerQueries
from services.routing.views import Views
from services.runtime.database import open_engine
from tests.bench import machine
from tests.bench.page import put
from tests.bench.scale import Question, Scale, addresses, asked, section
from tests.bench.views_filling import BLOCK, NOW, Life, fill, lives, rows_of

GROUP = 100
"""Events kept in one commit, as many as usually wait together."""
YEAR = timedelta(365)
EACH = 15_000
"""Bytes a case takes on disk, and a little more."""
LARGE = ("matters", "inbox", "timers", "cases", "case_reports", "notices", "steps", "offers")


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
        "limits that run, of a case": lambda: TimerQueries(engine).running(case_id),
    }


async def filled(address: str, cases: int, new: list[Life]) -> Views:
    """A read model of so many cases."""
    views = Views(open_engine(address, durable=False))
    await views.open()
    began = time.perf_counter()
    await fill(views.engine, cases, [rows_of(life) for life in new])
    await views.engine.dispose()  # with its connection goes the large cache that filling needed
    print(f"{cases:,} cases on {views.engine.dialect.name}, filled in {time.perf_counter() - began:.0f} s")
    return views


async def keep(models: list[Views], scales: list[Scale], new: list[Life]) -> None:
    """Keep the same events beside all that each model has, in turns, so that a busy moment meets all of them."""
    events = [event for life in new for event in (life.decided, *life.steps)]
    entries = [Entry("CASES", number, event) for number, event in enumerate(events, 1)]
    for at in range(0, len(entries), GROUP):
        part = entries[at : at + GROUP]
        for views, scale in zip(models, scales, strict=True):
            began = time.process_time()
            await views.keep_all(part)
            scale.costs.append((time.process_time() - began) / len(part))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write a section of docs/performance.md")
    given = parser.parse_args()
    new = lives(load_judge())
    sizes = [cases for cases in given.cases if machine.has_room(f"{cases:,} cases", cases * EACH)]
    async with addresses(postgres=given.postgres) as address:
        models = [await filled(address(), cases, new) for cases in sizes]
        scales = [Scale(cases, "cases") for cases in sizes]
        for views, scale in zip(models, scales, strict=True):
            await asked(views.engine, scale, await questions(views), LARGE)
        await keep(models, scales, new)
        for views in models:
            await views.engine.dispose()
    database = "PostgreSQL" if given.postgres else "SQLite"
    intro = (
        f"Questions of agencies and operators over a read model in {database} (beyond {BLOCK:,} cases with the first "
        "600 bytes of each record, which only a story reads)"
    )
    text = section(scales, intro, "to keep an event")
    print(f"\n{text}")
    if given.keep:
        put("Many cases", text)
    raise SystemExit(not all(scale.good for scale in scales))


if __name__ == "__main__":
    asyncio.run(main())
