"""A database file that is gone: nothing is written, nothing is made in its place, and put back it is as it was."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.database import open_engine, writing

MANY = 30


async def add(engine: AsyncEngine, x: int) -> None:
    async with writing(engine) as connection:
        await connection.execute(text(f"INSERT INTO told VALUES ({x})"))


async def rows(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT x FROM told ORDER BY x"))).scalars())


async def filled(path: Path, first: int = 0) -> AsyncEngine:
    """What was committed lies in the log beside the file, as it does until the log is long."""
    engine = open_engine(f"sqlite+aiosqlite:///{path}")
    async with writing(engine) as connection:
        await connection.execute(text("CREATE TABLE told (x)"))
    for x in range(first, first + MANY):
        await add(engine, x)
    return engine


@pytest.mark.parametrize("moved", ["a.db", "a.db*"])
async def test_put_back_it_is_used_at_once_and_nothing_committed_is_missing(
    tmp_path: Path, moved: str
) -> None:
    engine = await filled(tmp_path / "a.db")
    aside = tmp_path / "aside"
    aside.mkdir()
    for file in tmp_path.glob(moved):
        file.rename(aside / file.name)
    for _ in range(3):
        with pytest.raises(SQLAlchemyError, match="put it back"):
            await add(engine, 99)
        with pytest.raises(SQLAlchemyError, match="put it back"):
            await rows(engine)
    assert not (tmp_path / "a.db").exists(), "nothing is made in its place"
    for file in aside.iterdir():
        file.rename(tmp_path / file.name)
    await add(engine, MANY)
    assert await rows(engine) == list(range(MANY + 1))
    await engine.dispose()


async def test_where_its_log_was_deleted_nothing_is_written_until_what_was_committed_is_safe(
    tmp_path: Path,
) -> None:
    """Whoever looks meanwhile with a connection of his own makes a log that is not that of the others."""
    engine = await filled(tmp_path / "a.db")
    async with engine.connect(), engine.connect(), engine.connect() as busy:
        await busy.execute(text("SELECT x FROM told"))
    async with engine.connect() as busy:
        await busy.execute(text("SELECT x FROM told"))
        for ending in ("-wal", "-shm"):
            (tmp_path / f"a.db{ending}").unlink()
        for _ in range(3):
            with pytest.raises(SQLAlchemyError, match="was moved or deleted"):
                await add(engine, 99)
        with pytest.raises(SQLAlchemyError, match="was moved or deleted"):
            await busy.execute(text("SELECT x FROM told"))
    await add(engine, MANY)
    assert await rows(engine) == list(range(MANY + 1))
    other = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    assert await rows(other) == list(range(MANY + 1)), "and whoever opens it anew finds the same"
    for one in (other, engine):
        await one.dispose()


async def test_another_that_lies_there_now_is_used_instead(tmp_path: Path) -> None:
    engine, other = await filled(tmp_path / "a.db"), await filled(tmp_path / "b.db", first=100)
    await other.dispose()
    for file in tmp_path.glob("a.db*"):
        file.unlink()
    shutil.move(tmp_path / "b.db", tmp_path / "a.db")
    assert await rows(engine) == list(range(100, 100 + MANY))
    await engine.dispose()


async def test_a_file_that_is_missing_beside_its_log_is_not_made_anew(tmp_path: Path) -> None:
    engine = await filled(tmp_path / "a.db")
    away = tmp_path / "away"
    (tmp_path / "a.db").rename(away)
    late = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(SQLAlchemyError, match="put it back"):
        await rows(late)
    away.rename(tmp_path / "a.db")
    assert await rows(late) == list(range(MANY))
    for one in (late, engine):
        await one.dispose()
