"""What a door refuses before its application sees a request."""

import asyncio
import gc
import json
import re
import socket
import struct

import pytest
import uvloop
from starlette.responses import JSONResponse, PlainTextResponse
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from services.runtime.bounded_http import MAX_HEADER_BYTES
from tests.runtime.doors import served

POST = b"POST / HTTP/1.1\r\nHost: door\r\n"


async def _answer(request):
    body = await request.body()
    return JSONResponse(
        {"length": len(body), "names": sorted(name.decode() for name, _ in request.headers.raw)}
    )


@pytest.fixture
async def port():
    async with served(_answer) as port:
        yield port


async def _asked(port, *pieces):
    """The status and the JSON of the answer to bytes sent piece by piece."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        return status, json.loads(body) if status == 200 else body
    finally:
        writer.close()


async def _refused(port, *pieces):
    """Whether bytes end in 400, or in a closed connection where that came before the answer was read."""
    try:
        async with asyncio.timeout(10):
            return (await _asked(port, *pieces))[0] == 400
    except (ConnectionError, asyncio.IncompleteReadError):
        return True


async def test_a_report_of_a_megabyte_passes_whatever_the_pieces_it_comes_in(port):
    body = b"x" * 1_000_000
    head = POST + b"Content-Length: 1000000\r\n\r\n"
    pieces = [body[at : at + 10_000] for at in range(0, len(body), 10_000)]
    assert (await _asked(port, head + body))[1]["length"] == 1_000_000
    assert (await _asked(port, head, *pieces))[1]["length"] == 1_000_000


@pytest.mark.parametrize("line", [b"x-a: b\r\n", b"x"], ids=["of many lines", "of one line"])
async def test_headers_without_an_end_are_refused(port, line):
    block = line * (10_000 // len(line))
    pieces = [block] * (MAX_HEADER_BYTES // len(block) + 40)
    assert await _refused(port, POST, *pieces)


async def test_a_chunked_body_is_read_and_what_trails_it_is_no_header(port):
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nIdempotency-Key: late\r\n\r\n"
    status, said = await _asked(port, chunked)
    assert (status, said["length"]) == (200, 5)
    assert said["names"] == ["host", "transfer-encoding"]


async def test_trailers_without_an_end_are_refused(port):
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    assert await _refused(port, chunked, *[b"x-a: " + b"b" * 10_000 + b"\r\n"] * 40)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
    ids=[
        "no Host",
        "two Hosts",
        "two lengths",
        "length and chunks",
        "length below 0",
        "blank in name",
        "no HTTP",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(port, request_):
    assert (await _asked(port, request_))[0] == 400


async def test_requests_in_one_piece_are_answered_in_their_order(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(POST + b"Content-Length: %d\r\n\r\n" % n + b"x" * n for n in (1, 2, 3)))
    found = b""
    while found.count(b'"length"') < 3:
        found += await reader.read(65_536)
    writer.close()
    assert [found.index(b'"length":%d' % n) for n in (1, 2, 3)] == sorted(
        found.index(b'"length":%d' % n) for n in (1, 2, 3)
    )


async def test_thousands_of_requests_in_one_piece_wait_as_bytes_and_are_answered_in_their_order():
    """Each that is made a request of takes fifty times its bytes: a few hundred callers would take all memory."""
    here, go, many = asyncio.Event(), asyncio.Event(), 3000

    async def answer(request):
        here.set()
        await go.wait()
        return PlainTextResponse(request.url.query + ";")

    async with served(answer) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(b"GET /?%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(many)))
        await here.wait()
        held = sum(isinstance(one, RequestResponseCycle) for one in gc.get_objects())
        assert held < 200
        go.set()
        writer.write_eof()
        async with asyncio.timeout(30):
            said = (await reader.read()).decode()
        assert re.findall(r"(\d+);", said) == [str(number) for number in range(many)]
        writer.close()


def test_a_client_that_leaves_while_requests_before_its_last_are_answered_is_no_error_of_ours(caplog):
    async def left():
        second, go = asyncio.Event(), asyncio.Event()

        async def answer(request):
            if request.url.query != "1":
                second.set()
                await go.wait()
            return PlainTextResponse("late")

        async with served(answer) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"".join(b"GET /?%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in (1, 2, 3)))
            await second.wait()
            by_reset = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, by_reset)
            writer.transport.abort()
            await asyncio.sleep(0.1)
            go.set()

    uvloop.run(left())  # as a service runs: asyncio's own loop lets a closed connection be written to
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def _said_to_who_sends_no_more(port, sent):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    writer.write_eof()
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return said.count(b"HTTP/1.1 200 OK")


async def test_who_sends_a_request_and_no_more_is_answered_and_let_go(port):
    whole = POST + b"Content-Length: 5\r\n\r\nhello"
    assert await _said_to_who_sends_no_more(port, whole) == 1
    assert await _said_to_who_sends_no_more(port, whole * 3) == 3
    assert await _said_to_who_sends_no_more(port, whole[:-1]) == 0
    assert await _said_to_who_sends_no_more(port, b"") == 0


async def _refused_unread(_request):
    return PlainTextResponse("Too large", 413)


@pytest.mark.parametrize("more", [b"Connection: close\r\n", b""], ids=["and closes", "and stays"])
async def test_who_sends_what_is_not_read_comes_to_read_why(more):
    size = 20_000_000
    async with served(_refused_unread) as port, asyncio.timeout(30):
        head = POST + more + b"Content-Length: %d\r\n\r\n" % size
        for _ in range(3):
            status, says = await _asked(port, head, *[b"x" * 100_000] * (size // 100_000))
            assert (status, says) == (413, b"Too large")


async def test_who_closes_and_sends_only_a_part_of_it_is_answered_at_once():
    async with served(_refused_unread) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + b"Connection: close\r\nContent-Length: 1000\r\n\r\nx")
        assert (await reader.readuntil(b"\r\n")).split()[1] == b"413"
        writer.close()
