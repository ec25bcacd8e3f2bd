"""Remembers where each stream began and stood: one that lost either is noticed, also when it has grown again (ADR 0099).

A broker that finds a damaged block when it starts cuts the stream there and says so to nobody; nor does one that drops the
oldest because somebody gave the stream a limit.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.topology import STREAMS
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.database import insert_new, writing
from services.runtime.logs import log
from services.runtime.metrics import SILENT, Counted, Instruments
from services.runtime.reading import page_of

SECONDS = 30.0
SETTLED = timedelta(minutes=1)
"""A follower of the broker may answer that is a moment behind, so a newer mark says nothing yet."""
WATCHED = tuple(
    stream.name for stream in STREAMS if not (stream.deletable or stream.schedules or stream.max_age)
)
"""Streams of which nothing is ever taken away."""
TIME = "Nats-Time-Stamp"

metadata = MetaData()


def _table(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("stream", String(20), primary_key=True),
        Column("seq", BigInteger, nullable=False),
        Column("stored_at", String(40), nullable=False),
    )


marks = _table("marks")
"""Beside the read model, not of it: what the streams hold now cannot tell what they held."""
begins = _table("begins")
"""The first message of each stream, which stays where it is."""


class Mark(NamedTuple):
    """A message that was there: its sequence, and the broker's own word of when it was stored (RFC 3339, nanoseconds)."""

    seq: int
    stored_at: str

    def settled(self, now: datetime) -> bool:
        """Whether every server of the broker must have it by now (UTC)."""
        return now - datetime.fromisoformat(self.stored_at[:19]).replace(tzinfo=UTC) > SETTLED


def lost(kept: Mapping[str, Mark], there: Mapping[str, Mark | None], now: datetime) -> Iterator[str]:
    """The streams that do not hold any more what they held; `there` is what each has at the sequence of its mark."""
    for stream, mark in kept.items():
        if mark.settled(now) and there.get(stream) != mark:
            yield stream


class Marks:
    """Two marks for each stream, the later one moved to its end while it is whole; where something was lost both stay."""

    def __init__(self, engine: AsyncEngine, clock: Clock, instruments: Instruments = SILENT) -> None:
        self._engine, self._clock, self._instruments = engine, clock, instruments
        for stream in WATCHED:
            instruments.count(Counted.LOST, 0, stream=stream)

    async def watch(self, bus: Bus) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look(bus)
            except (BrokerAway, SQLAlchemyError) as trouble:
                log("marks.waiting", level="WARNING", error=type(trouble).__name__)
            await asyncio.sleep(SECONDS)

    async def look(self, bus: Bus) -> tuple[str, ...]:
        """The streams that lost something, counted and logged; the marks of all others move on.

        Raises BrokerAway and SQLAlchemyError.
        """
        now, kept, first = self._clock(), await self._kept(marks), await self._kept(begins)
        gone: dict[str, Mark] = {}
        for known in (kept, first):
            there = {stream: await _at(bus, stream, mark.seq) for stream, mark in known.items()}
            gone |= {stream: known[stream] for stream in lost(known, there, now)}
        for stream, mark in gone.items():
            self._instruments.count(Counted.LOST, stream=stream)
            log("stream.lost", level="ERROR", stream=stream, seq=mark.seq, at=mark.stored_at)
        for stream in (stream for stream in WATCHED if stream not in gone):
            if stream not in kept or kept[stream].settled(now):
                await self._move(stream, await _last(bus, stream))
            if stream not in first:
                await self._begin(stream, await _at(bus, stream, 1))
        return tuple(gone)

    async def forget(self) -> None:
        """What the streams hold from now on is what counts. Raises SQLAlchemyError."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(marks))
            await connection.execute(delete(begins))

    async def open(self) -> None:
        """Make the table. Raises SQLAlchemyError."""
        async with writing(self._engine) as connection:
            await connection.run_sync(metadata.create_all)

    async def _kept(self, table: Table) -> dict[str, Mark]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(table))
            return {row.stream: Mark(row.seq, row.stored_at) for row in rows}

    async def _move(self, stream: str, last: Mark | None) -> None:
        """Never back: another worker may have seen more."""
        if last is None:
            return
        async with writing(self._engine) as connection:
            await connection.execute(insert_new(connection, marks), {"stream": stream, **last._asdict()})
            further = (marks.c.stream == stream) & (marks.c.seq < last.seq)
            await connection.execute(update(marks).where(further).values(last._asdict()))

    async def _begin(self, stream: str, first: Mark | None) -> None:
        if first is None:
            return
        async with writing(self._engine) as connection:
            await connection.execute(insert_new(connection, begins), {"stream": stream, **first._asdict()})


async def _at(bus: Bus, stream: str, seq: int) -> Mark | None:
    for stored in await page_of(bus, stream, seq, most=1):
        return Mark(stored.seq, stored.headers[TIME])
    return None


async def _last(bus: Bus, stream: str) -> Mark | None:
    try:
        found = await bus.js.get_last_msg(stream, ">", direct=True)
    except NotFoundError:
        return None
    except (NatsError, TimeoutError):
        raise BrokerAway(ambiguous=False, stream=stream) from None
    return Mark(found.seq or 0, (found.headers or {}).get(TIME, ""))
