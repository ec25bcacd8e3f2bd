"""What the machine, the broker, the databases and SMTP can do at most, without us."""

import asyncio
import sqlite3
import time
from pathlib import Path

import asyncpg
from aiosmtpd.smtp import SMTP
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StorageType, StreamConfig

from services.runtime.batches import Batch, Message, publish_batch
from tests.bench.load import body

IN_FLIGHT = 256
_MAIL = b"Subject: x\r\n\r\n" + b"Laporan diterima.\r\n" * 100


async def prepare(js: JetStreamContext) -> None:
    """A stream of file storage like ours, under the broker's own fsync setting."""
    await js.add_stream(
        StreamConfig(name="RAW", subjects=["raw.>"], storage=StorageType.FILE, allow_atomic=True)
    )


async def publish(js: JetStreamContext, count: int) -> float:
    """Messages a second of nats-py: as many in flight as pay, each acknowledged."""
    content, numbers = body("raw"), iter(range(count))

    async def publisher() -> None:
        for _ in numbers:
            await js.publish("raw.one", content, stream="RAW")

    started = time.perf_counter()
    await asyncio.gather(*(publisher() for _ in range(IN_FLIGHT)))
    return count / (time.perf_counter() - started)


async def batches(js: JetStreamContext, count: int) -> float:
    """Messages a second in atomic batches of 250 on subjects of their own: group commit at its best."""
    content, first = body("raw"), time.time_ns()
    started = time.perf_counter()
    for start in range(0, count, 250):
        numbers = range(first + start, first + start + 250)
        assert await publish_batch(js._nc, Batch([Message(f"raw.b.{n}", content) for n in numbers]))
    return count / (time.perf_counter() - started)


async def consume(js: JetStreamContext, count: int) -> float:
    """Messages a second of a plain pull consumer that acknowledges each."""
    await js.add_consumer("RAW", ConsumerConfig(durable_name="raw", max_ack_pending=1000))
    reader = await js.pull_subscribe_bind("raw", "RAW")
    got, started = 0, time.perf_counter()
    while got < count:
        for message in await reader.fetch(min(500, count - got), timeout=10):
            await message.ack()
            got += 1
    taken = time.perf_counter() - started
    await js.delete_consumer("RAW", "raw")
    return count / taken


def sqlite(folder: Path, count: int) -> float:
    """Rows of 1.5 kB a second, 200 in a transaction, each transaction synced."""
    content = body("raw")
    with sqlite3.connect(folder / f"limit-{time.time_ns()}.db", isolation_level=None) as database:
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (id, body)")
        started = time.perf_counter()
        for start in range(0, count, 200):
            database.execute("BEGIN")
            database.executemany("INSERT INTO t VALUES (?, ?)", [(start + n, content) for n in range(200)])
            database.execute("COMMIT")
        return count / (time.perf_counter() - started)


async def postgresql(address: str, count: int) -> float:
    """As `sqlite`, over one connection of asyncpg; `address` is SQLAlchemy's, of a server that syncs what is committed."""
    content = body("raw")
    database = await asyncpg.connect(address.replace("+asyncpg", ""))
    await database.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint, body bytea)")
    started = time.perf_counter()
    for start in range(0, count, 200):
        rows = [(start + n, content) for n in range(200)]
        await database.executemany("INSERT INTO t VALUES ($1, $2)", rows)
    taken = time.perf_counter() - started
    await database.close()
    return count / taken


class _Sink:
    """Takes every mail and keeps none."""

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        return "250 ok"


async def smtp(count: int, connections: int = 4) -> float:
    """Mails a second into a sink of the same SMTP server, by commands written blindly, in this process."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(_Sink(), hostname="sink", loop=loop), "127.0.0.1", 0)
    port, numbers = server.sockets[0].getsockname()[1], iter(range(count))

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def say(line: bytes, last: bytes) -> None:
            writer.write(line)
            while not (await reader.readline()).startswith(last):
                pass

        await say(b"", b"220 ")
        await say(b"EHLO here\r\n", b"250 ")
        for _ in numbers:
            await say(b"MAIL FROM:<a@b.example>\r\n", b"250")
            await say(b"RCPT TO:<c@d.example>\r\n", b"250")
            await say(b"DATA\r\n", b"354")
            await say(_MAIL + b".\r\n", b"250")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(connections)))
    taken = time.perf_counter() - started
    server.close()
    return count / taken
