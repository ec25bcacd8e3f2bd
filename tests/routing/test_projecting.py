"""The read model depends on the events alone: not on their order, their groups, who writes, or which database holds it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select

from contracts.events import CaseStepped, Event
from services.routing.core.decide import Judge
from services.routing.projecting import Entry
from services.routing.views import Views
from services.routing.views_tables import metadata
from services.runtime.database import open_engine
from tests.routing.histories import BREACH, RECOMMENDED, SANCTIONED, SILENT, history, undone

Tables = dict[str, list[tuple[Any, ...]]]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Views]:
    views = Views(open_engine(url))
    await views.open()
    yield views
    await views.engine.dispose()


async def everything(views: Views) -> Tables:
    """Every row of every table that comes from events."""
    found: Tables = {}
    async with views.engine.connect() as connection:
        for name, table in metadata.tables.items():
            rows = (tuple(row) for row in await connection.execute(select(table)))
            found[name] = sorted(rows, key=str)
    return found


@pytest.fixture(scope="module")
def log(judge: Judge) -> list[Entry]:
    """Cases of all kinds, in the order of a stream."""
    wave = (BREACH, undone(1, 5, "BAWASLU"), (*BREACH[:3], 6), RECOMMENDED, SILENT, SANCTIONED)
    events: list[Event] = [
        event
        for number in range(1, 13)
        for event in history(
            judge, number, *wave[: number % 7], incident__region=f"kemendagri:52.0{number % 3 + 1}"
        )
    ]
    return [Entry("CASES", seq, event) for seq, event in enumerate(events, 1)]


async def test_the_model_is_the_same_in_whatever_order_and_groups_the_events_come(
    database_url: str, tmp_path: Any, log: list[Entry]
) -> None:
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'whole.db'}") as whole:
        await whole.keep_all(log)
        wanted = await everything(whole)
    assert len(wanted["steps"]) > 20
    assert any(row[-1] for row in wanted["timers"])
    dice = random.Random(52)
    async with opened(database_url) as views:
        for _ in range(5):
            async with views.engine.begin() as connection:
                await connection.run_sync(metadata.drop_all)
            await views.open()
            mixed = dice.sample(log, len(log)) + dice.sample(log, len(log) // 4)
            while mixed:
                size = dice.choice((1, 7, 60))
                await views.keep_all(mixed[:size])
                mixed = mixed[size:]
            assert await everything(views) == wanted


async def test_many_workers_over_one_database_never_disturb_each_other(
    database_url: str, log: list[Entry]
) -> None:
    dice = random.Random(53)

    async def write(views: Views, mixed: list[Entry]) -> None:
        for start in range(0, len(mixed), 3):
            await views.keep_all(mixed[start : start + 3])

    async with opened(database_url) as one, opened(database_url) as two, opened(database_url) as three:
        mixed = dice.sample(log, len(log))
        await asyncio.gather(*(write(views, mixed[n::3]) for n, views in enumerate((one, two, three))))
        found = await everything(one)
        async with one.engine.begin() as connection:
            await connection.run_sync(metadata.drop_all)
        await one.open()
        await one.keep_all(log)
        assert found == await everything(one)


async def test_many_workers_may_start_over_an_empty_database_at_once(database_url: str) -> None:
    workers = [Views(open_engine(database_url)) for _ in range(6)]
    await asyncio.gather(*(worker.open() for worker in workers))
    assert await workers[0].position("CASES") == 0
    for worker in workers:
        await worker.engine.dispose()


async def test_a_step_that_comes_early_waits_for_those_before_it(database_url: str, judge: Judge) -> None:
    events = history(judge, 1, BREACH, RECOMMENDED)
    steps = [event for event in events if isinstance(event, CaseStepped)]
    case_id = str(steps[0].data.case_id)
    async with opened(database_url) as views:
        await views.keep_all([Entry("CASES", 9, steps[1]), Entry("CASES", 1, events[0])])
        assert [row["state"] for row in (await views.matters([case_id]))[case_id]] == ["ROUTED"]
        await views.keep_all([Entry("CASES", 5, steps[0])])
        assert [row["state"] for row in (await views.matters([case_id]))[case_id]] == ["RECOMMENDED"]


async def test_a_limit_that_was_said_stays_said_when_it_runs_again(database_url: str, judge: Judge) -> None:
    said = (BREACH, RECOMMENDED, undone(2, 31, "BKN"), undone(3, 32, "BKN"))
    log = [Entry("CASES", seq, event) for seq, event in enumerate(history(judge, 1, *said), 1)]
    log.sort(key=lambda entry: entry.event.time if entry.event else None)
    async with opened(database_url) as views:
        for entry in log:
            await views.keep_all([entry])
        kept = (await everything(views))["timers"]
    assert [(row[2], row[-1]) for row in kept] == [("PPK", True), ("PPK", True)]
