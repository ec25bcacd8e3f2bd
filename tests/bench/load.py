"""A small load generator: keep-alive HTTP/1.1 connections that each send one report after another."""

import asyncio
import itertools
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.builders import a_report

NARRATIVE = "Dugaan keberpihakan pada kegiatan terbuka. " * 17
"""Brings a report to about 1.5 kB, the size the shelf's figures were measured with."""


async def post_reports(url: str, count: int, connections: int, run: str) -> None:
    """Send `count` reports of different cases; every answer must be 202."""
    numbers = iter(range(count))
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    await asyncio.gather(*(_connection(where.hostname, where.port, numbers, run) for _ in range(connections)))


def body(name: str) -> bytes:
    """A report that opens a case of its own: about a person of this name."""
    return json.dumps(a_report(person__name=name, narrative=NARRATIVE)).encode()


async def _connection(host: str, port: int, numbers: Iterator[int], run: str) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for number in numbers:
        content = body(f"{run} {number}")
        head = (
            f"POST /v1/reports HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {run}-{number}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in answer.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        rest = await reader.readexactly(length)
        assert answer.startswith(b"HTTP/1.1 202"), answer + rest
    writer.close()


def run_names() -> Iterator[str]:
    """A new name for each run, so that no run repeats another's reports."""
    return (f"run{number}" for number in itertools.count())
