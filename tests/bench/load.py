"""A small load generator: keep-alive HTTP/1.1 connections that each send one report after another."""

import asyncio
import functools
import hashlib
import itertools
import json
import random
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from contracts.regions import problem_with
from tests.builders import a_report

NARRATIVE = "Dugaan keberpihakan pada kegiatan terbuka. " * 17
"""Brings a report to about 1.5 kB, the size the shelf's figures were measured with."""


async def post_reports(
    url: str, count: int, connections: int, run: str, rate: float | None = None
) -> list[float]:
    """Send `count` reports of different cases; every answer must be 202. The seconds each took.

    With a `rate` so many a second, as far as the connections and the door keep up; without, one after another.
    """
    where, took = urlsplit(url), list[float]()
    assert where.hostname
    assert where.port
    contents = [request(where.hostname, f"{run} {number}") for number in range(count)]
    began = time.perf_counter()
    requests = iter([(began + n / rate if rate else 0.0, content) for n, content in enumerate(contents)])
    await asyncio.gather(
        *(_connection(where.hostname, where.port, requests, took) for _ in range(connections))
    )
    return took


@functools.cache
def places() -> list[str]:
    """Every regency and city."""
    codes = (f"kemendagri:{province}.{number:02}" for province in range(11, 97) for number in range(1, 80))
    return [code for code in codes if problem_with(code) is None]


def body(name: str) -> bytes:
    """A report that opens a case of its own: of a person, a file and a regency or city of its own."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    dice = random.Random(name)
    born = f"{dice.randint(1970, 1995)}{dice.randint(1, 12):02}{dice.randint(1, 28):02}"
    document = a_report(
        incident__region=dice.choice(places()),
        person__name=name,
        person__nip=f"{born}2015051{dice.randint(1, 999):03}",
        evidence=[{"sha256": digest, "media_type": "image/jpeg", "size": 48213}],
        narrative=NARRATIVE,
    )
    return json.dumps(document).encode()


def request(host: str, name: str) -> bytes:
    """The whole request, made beforehand so that making it is not measured."""
    content = body(name)
    head = (
        f"POST /v1/reports HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {name.replace(' ', '-')}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def _connection(
    host: str, port: int, requests: Iterator[tuple[float, bytes]], took: list[float]
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for due, content in requests:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        started = time.perf_counter()
        writer.write(content)
        answer = await reader.readuntil(b"\r\n\r\n")
        fields = answer.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in fields if line.startswith(b"content-length"))
        rest = await reader.readexactly(length)
        took.append(time.perf_counter() - started)
        assert answer.startswith(b"HTTP/1.1 202"), answer + rest
    writer.close()


def run_names() -> Iterator[str]:
    """A new name for each run, so that no run repeats another's reports."""
    return (f"run{number}" for number in itertools.count())
