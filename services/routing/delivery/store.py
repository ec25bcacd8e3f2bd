"""The database of push. Writes follow one another, so what a transaction read is what it changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.routing.delivery.tables import metadata, positions
from services.runtime.database import insert_new, writing

Row = dict[str, Any]


class Store:
    """An engine, and what push asks of it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @property
    def exclusive(self) -> bool:
        """Whether only one process can be at work on it: an SQLite file belongs to one service."""
        return self.engine.dialect.name == "sqlite"

    async def open(self) -> None:
        """Create what is missing. Raises SQLAlchemyError."""
        async with self.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """All that is written in it is durable after it, or nothing is. Raises SQLAlchemyError."""
        async with writing(self.engine) as connection:
            yield connection

    async def rows(self, query: Select[Any]) -> list[Row]:
        async with self.engine.connect() as connection:
            return await rows_of(connection, query)

    async def position(self, stream: str) -> int:
        """The highest sequence of a stream that is in here; 0 for none."""
        found = await self.rows(select(positions.c.seq).where(positions.c.stream == stream))
        return int(found[0]["seq"]) if found else 0

    async def insert_new(self, connection: AsyncConnection, table: Any, values: Any) -> int:
        """Insert what is not there yet; how many rows were new, for a single one."""
        return (await connection.execute(insert_new(self.engine, table), values)).rowcount

    async def advance(self, connection: AsyncConnection, stream: str, seq: int) -> None:
        """Remember how far a stream is read."""
        c = positions.c
        await self.insert_new(connection, positions, {"stream": stream, "seq": seq})
        await connection.execute(update(positions).where(c.stream == stream, c.seq < seq).values(seq=seq))


async def rows_of(connection: AsyncConnection, query: Any) -> list[Row]:
    """What a query or a RETURNING gives."""
    return [dict(row) for row in (await connection.execute(query)).mappings()]
