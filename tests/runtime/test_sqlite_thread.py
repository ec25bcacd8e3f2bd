"""What SQLite is asked costs one trip to its thread, and what is cut off leaves no transaction behind."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.database import open_engine, writing
from services.runtime.sqlite_thread import connect

SLOW = text(
    "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i FROM n"
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncEngine:
    found = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'trips.db'}")
    async with found.begin() as connection:
        await connection.execute(text("CREATE TABLE t (i INTEGER PRIMARY KEY)"))
    return found


async def test_a_question_is_one_trip_and_a_write_three(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        thread = (await connection.get_raw_connection()).driver_connection
        assert thread
        before = thread.trips
        assert (await connection.execute(text("SELECT 1 UNION SELECT 2"))).scalars().all() == [1, 2]
    assert thread.trips == before + 1
    async with writing(engine) as connection:
        await connection.execute(text("INSERT INTO t VALUES (1), (2)"))
    assert thread.trips == before + 1 + 3, "begin, insert, commit"
    await engine.dispose()


async def test_rows_counts_and_keys_are_those_of_sqlite(tmp_path: Path) -> None:
    connection = await connect(str(tmp_path / "plain.db"))
    cursor = connection.cursor()
    await cursor.execute("CREATE TABLE t (i INTEGER PRIMARY KEY)")
    await cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (7,)])
    assert (cursor.rowcount, cursor.description) == (3, None)
    await cursor.execute("INSERT INTO t VALUES (9)")
    assert (cursor.rowcount, cursor.lastrowid) == (1, 9)
    await cursor.execute("SELECT i AS number FROM t ORDER BY i")
    assert cursor.description[0][0] == "number"
    assert [await cursor.fetchall(), await cursor.fetchall()] == [[(1,), (2,), (7,), (9,)], ()]
    with pytest.raises(sqlite3.IntegrityError):
        await cursor.execute("INSERT INTO t VALUES (9)")
    await connection.close()


async def test_a_write_that_is_refused_or_fails_midway_leaves_nothing(engine: AsyncEngine) -> None:
    async def twice() -> None:
        async with writing(engine) as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            await connection.execute(text("INSERT INTO t VALUES (1)"))

    with pytest.raises(IntegrityError):
        await twice()
    assert await numbers(engine) == []
    await engine.dispose()


@pytest.mark.parametrize("steps", range(8))
async def test_a_write_that_is_cut_off_leaves_no_transaction_in_which_the_next_would_wait(
    engine: AsyncEngine, steps: int
) -> None:
    """Cut off after so many turns of the loop: before, in and after its first statements."""

    async def write() -> None:
        async with writing(engine) as connection:
            await connection.execute(text("INSERT INTO t VALUES (1)"))
            await connection.execute(SLOW)

    task = asyncio.create_task(write())
    for _ in range(steps):
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(10), writing(engine) as connection:
        await connection.execute(text("INSERT INTO t VALUES (2)"))
    assert await numbers(engine) == [2]
    await engine.dispose()


def test_an_answer_for_which_no_loop_waits_any_more_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a process ends while its disk is slow: what follows in the queue is done, and the thread ends."""
    errors: list[object] = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    go_on = threading.Event()

    async def ask() -> threading.Thread:
        connection = await connect(str(tmp_path / "late.db"))
        await connection.create_function("wait", 0, go_on.wait)
        asking = asyncio.create_task(connection.cursor().execute("SELECT wait()"))
        await asyncio.sleep(0)
        asking.cancel()
        connection.stop()
        return connection._thread

    thread = asyncio.run(ask())
    go_on.set()
    thread.join()
    assert errors == []


async def numbers(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT i FROM t ORDER BY i"))).scalars())
