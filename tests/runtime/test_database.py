"""What becomes of a database connection whose question is cut off, or that nobody takes."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.runtime.database import open_engine, reading, writing
from tests.ports import free_port
from tests.running import until

LONG = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n"
)


async def test_a_question_that_is_cut_off_twice_leaves_nothing_that_never_ends(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'questions.db'}")
    before, threads = asyncio.all_tasks(), threading.active_count()

    async def ask() -> None:
        async with engine.connect() as connection:
            await connection.execute(LONG)

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    await asyncio.sleep(0.05)
    for _ in range(3):
        for task in asking:
            task.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*asking, return_exceptions=True)
    if left := asyncio.all_tasks() - before:
        _, pending = await asyncio.wait(left, timeout=20)
        assert not pending
    await engine.dispose()

    async def no_thread_of_it_runs() -> bool:
        """What one of them has to say when this loop is closed would be an error of another test."""
        return threading.active_count() <= threads

    await until(no_thread_of_it_runs)


@pytest.mark.parametrize("place", ["127.0.0.1:{port}/d", "/d?host=/nowhere", "no-such-host.invalid/d"])
async def test_a_server_that_takes_no_connection_is_an_error_of_the_database(place: str) -> None:
    """Every caller waits for SQLAlchemyError, and drivers pass the socket's own error on."""
    engine = open_engine(f"postgresql+asyncpg://netral@{place.format(port=free_port())}")
    with pytest.raises(SQLAlchemyError):
        async with writing(engine):
            pass
    await engine.dispose()


async def test_questions_of_one_moment_see_nothing_of_who_writes_meanwhile(database_url: str) -> None:
    engine = open_engine(database_url)
    async with writing(engine) as connection:
        await connection.execute(text("CREATE TABLE t (i INTEGER PRIMARY KEY)"))
    count = text("SELECT count(*) FROM t")
    async with reading(engine) as one:
        before = (await one.execute(count)).scalar()
        async with writing(engine) as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
        assert [before, (await one.execute(count)).scalar()] == [0, 0]
    async with reading(engine) as later, engine.connect() as any_other:
        assert [(await each.execute(count)).scalar() for each in (later, any_other)] == [1, 1]
    await engine.dispose()
