"""A PostgreSQL that hangs, and a worker that stands still inside a transaction, keep nobody waiting for ever."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.runtime.database import open_engine, writing
from services.runtime.postgres import DatabaseAway, alone
from tests.postgres import PostgresServer

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Its own: the others of this run must not hang with it."""
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


async def wrote(engine: AsyncEngine) -> bool:
    try:
        async with writing(engine) as connection:
            await connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


async def created(engine: AsyncEngine, table: str) -> bool:
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"CREATE TABLE {table} (n INTEGER)"))
    except SQLAlchemyError:
        return False
    return True


async def test_who_stands_still_inside_a_transaction_loses_the_lock_and_all_others_go_on(
    server: PostgresServer,
) -> None:
    address = server.new_database()
    still, other = open_engine(address), open_engine(address)
    assert await wrote(other), "it is connected"
    async with still.connect() as connection:
        await connection.execute(text(alone((18,), patient=False)))
        first, tries = await wrote(other), 1
        while not await wrote(other):
            tries += 1
            assert tries < 4
        assert not first, "a lock that is held is not waited for without end"
        with pytest.raises(SQLAlchemyError):
            await connection.execute(text("SELECT 1"))
        await connection.invalidate()
    assert await wrote(still)
    for engine in (still, other):
        await engine.dispose()


async def test_a_server_that_hangs_is_an_error_of_the_database_and_is_used_again_afterwards(
    server: PostgresServer,
) -> None:
    engine = open_engine(server.new_database())
    async with engine.connect() as inside:
        await inside.execute(text("SELECT 1"))
        assert await wrote(engine)

        async def asked() -> Any:
            return await inside.execute(text("SELECT 2"))

        async def anew() -> Any:
            async with writing(engine):
                pass

        with server.hanging():
            met = await asyncio.wait_for(asyncio.gather(asked(), anew(), return_exceptions=True), 60)
        assert [type(one) for one in met] == [DatabaseAway, DatabaseAway]
    assert await wrote(engine)
    await engine.dispose()


async def test_who_meets_a_standby_connects_anew_where_the_address_may_lead_to_the_next_primary(
    server: PostgresServer,
) -> None:
    address = server.new_database()
    with server.read_only():
        engine = open_engine(address)
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1, "it can be read"
            # This session stays as it is, whatever becomes of the server: like one with a primary that was demoted.
            await connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
            await connection.commit()
    assert [await created(engine, name) for name in ("one", "two")] == [False, True]
    await engine.dispose()


async def test_a_patient_engine_has_no_limits_and_others_have_one_for_the_whole_of_what_they_write(
    server: PostgresServer,
) -> None:
    address = server.new_database()
    found = {}
    for patient in (True, False):
        engine = open_engine(address, patient=patient)
        async with writing(engine, patient=patient) as connection:
            asked = [
                text(f"SHOW {name}")
                for name in ("lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
            ]
            found[patient] = [(await connection.execute(one)).scalar() for one in asked]
        await engine.dispose()
    assert found == {True: ["0", "0", "0"], False: ["8s", "10s", "30s"]}


def test_a_server_too_old_to_limit_a_transaction_is_not_asked_to() -> None:
    assert "transaction_timeout" not in alone((16, 4), patient=False)
