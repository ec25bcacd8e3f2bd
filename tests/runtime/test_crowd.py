"""Whoever keeps a door waiting leaves it: nobody who opens connections and says nothing closes it for the others."""

import asyncio
import resource
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from starlette.responses import Response

from services.runtime.bounded_http import BoundedHttp
from services.runtime.crowd import Crowd, Leaving, leaving
from tests.running import until
from tests.runtime.doors import served

GET = b"GET / HTTP/1.1\r\nHost: door\r\n"
LONG = 20_000_000
"""Bytes of an answer that no socket's buffers hold."""


@dataclass(eq=False)
class Guest:
    since: float | None

    def waits_since(self, _now):
        return self.since

    def let_go(self): ...


def test_who_waited_longest_makes_room_and_nobody_at_work():
    at_work, old, older, new = Guest(None), Guest(2.0), Guest(1.0), Guest(3.0)
    assert leaving([at_work, old, older, new], 4.0, most=4) == Leaving([], [])
    assert leaving([at_work, old, older, new], 4.0, most=2) == Leaving([older, old], [])
    assert leaving([at_work, at_work, new], 4.0, most=1) == Leaving([new], [])


def test_after_a_minute_a_request_has_to_be_here():
    guests = [Guest(None), Guest(40.0), Guest(39.9)]
    assert leaving(guests, 100.0, most=9) == Leaving([], [guests[2]])


async def _answer(request):
    await request.body()
    await asyncio.sleep(float(request.query_params.get("sleep", 0)))
    return Response(b"x" * int(request.query_params.get("size", 2)))


def _door(**crowd):
    return served(_answer, Crowd(**crowd))


async def _after(port, sent):
    """What comes until the door closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(30):
        said = await reader.read()
    writer.close()
    return said


async def test_a_connection_that_says_nothing_is_closed_without_a_word():
    async with _door(seconds=0.2) as port:
        assert await _after(port, b"") == b""


async def test_headers_that_do_not_end_are_answered_that_they_came_too_late():
    async with _door(seconds=0.2) as port:
        said = await _after(port, GET + b"X-Half: a")
        assert said.startswith(b"HTTP/1.1 408 ")
        assert said.endswith(b"send it again.")


async def _sends_for_ever(writer):
    while True:
        writer.write(b"more")
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_who_was_answered_for_the_last_time_and_sends_on_for_ever_is_let_go():
    async def refused(_request):
        return Response(status_code=413)

    async with served(refused, Crowd(seconds=0.2)) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST / HTTP/1.1\r\nHost: door\r\nConnection: close\r\nContent-Length: 999999999\r\n\r\n"
        )
        assert b" 413 " in await reader.readuntil(b"\r\n\r\n")
        with pytest.raises(ConnectionError):
            await _sends_for_ever(writer)


async def test_a_body_that_does_not_end_is_waited_for_no_longer():
    async with _door(seconds=0.2) as port:
        assert b"200 OK" not in await _after(
            port, b"POST / HTTP/1.1\r\nHost: door\r\nContent-Length: 9\r\n\r\nhalf"
        )


async def test_a_request_at_work_may_take_its_time():
    async with _door(seconds=0.2, most=1) as port:
        said = await _after(port, b"GET /?sleep=1 HTTP/1.1\r\nHost: door\r\n" + b"Connection: close\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 200 OK")


async def test_who_is_answered_may_send_the_beginning_of_the_next_request_meanwhile():
    half = b"POST / HTTP/1.1\r\nHost: door\r\nContent-Length: 9\r\n\r\nhalf"
    async with _door(seconds=0.2, most=1) as port:
        said = await _after(port, b"GET /?sleep=1 HTTP/1.1\r\nHost: door\r\n\r\n" + half)
        assert said.startswith(b"HTTP/1.1 200 OK")


def test_who_reads_on_however_slowly_is_waited_for_anew():
    unread, guest = [100, 100, 60, 60], BoundedHttp.__new__(BoundedHttp)
    guest.transport = SimpleNamespace(get_write_buffer_size=lambda: unread.pop(0))
    guest.flow = SimpleNamespace(write_paused=True, read_paused=False)
    assert [guest.waits_since(now) for now in (10.0, 20.0, 30.0, 40.0)] == [0.0, 0.0, 30.0, 30.0]


async def test_an_answer_that_nobody_reads_is_not_kept_for_ever(caplog):
    async with _door(seconds=0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(f"GET /?size={LONG} HTTP/1.1\r\nHost: door\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")

        async def let_go():
            return "door.let_go" in caplog.text

        await until(let_go)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(LONG)
        writer.close()


async def test_many_who_only_dial_keep_nobody_out():
    async with _door(most=8) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
        said = await _after(port, GET + b"Connection: close\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 200 OK")
        async with asyncio.timeout(30):
            gone = [await reader.read() for reader, _ in silent[:32]]
        assert set(gone) == {b""}
        for _, writer in silent:
            writer.close()


def test_a_process_takes_the_files_it_may_and_keeps_some_for_itself():
    code = "from services.runtime.crowd import room; import resource as r; print(room(), r.getrlimit(r.RLIMIT_NOFILE))"

    def files(soft, hard):
        def limited():
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        said = subprocess.check_output([sys.executable, "-c", code], preexec_fn=limited, text=True)
        return said.strip()

    assert files(256, 2048) == "1536 (2048, 2048)"
    assert files(256, 256) == "64 (256, 256)"
    assert files(1024, 8192) == "4096 (8192, 8192)"
