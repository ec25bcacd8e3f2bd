"""uvicorn's HTTP/1.1 by httptools, with a limit to what is held before a body, and as strict as RFC 9112 asks."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from services.runtime.crowd import Crowd

MAX_HEADER_BYTES = 65_536
_PIECE = 4_096
"""Bytes that become requests at once. Of thousands that come together each would take fifty times its bytes."""


class BoundedHttp(HttpToolsProtocol):
    """Refuses endless headers with 400, and a request of HTTP/1.1 without exactly one Host (RFC 9112, 3.2).

    Trailers are dropped: a header that comes after the body must not stand beside those that were looked at before it.
    """

    _held = 0
    """Bytes that came since a request's headers or a piece of its body were complete."""
    _later = b""
    """What came behind requests that are not answered yet; it is read when it is their turn."""
    _in_body = False
    _since = 0.0
    """The loop's seconds when the connection was opened, the answer before was given, or the client last read on."""
    _unread = 0
    """Bytes of our answers that lay here when it was last looked."""
    gone = False
    """It was told to go."""
    _running: RequestResponseCycle | None = None
    leaving = False
    """It was answered for the last time, and is read until its request ends."""
    crowd: Crowd
    """Of the door that this connection came to."""

    def waits_since(self, now: float) -> float | None:
        """Since when the client is waited for, to send its request or to read our answer; None while we are at work."""
        unread = self.transport.get_write_buffer_size()
        if unread < self._unread:
            self._since = now
        self._unread = unread
        return None if self._at_work() and not self.flow.write_paused else self._since

    def _at_work(self) -> bool:
        """On the oldest request that is not answered; one behind it may have come only in part."""
        running = self._running
        if running is None or running.response_complete:
            return False
        return not running.more_body or self.flow.read_paused

    def let_go(self) -> None:
        """Close; with 408 where a part of a request came (RFC 9110, 15.5.9): a browser that only dialled must get none."""
        self.gone = True
        if self._unread or self.transport.is_closing():
            self.transport.abort()  # to close would wait until somebody reads
        elif self._held and not self._in_body:
            self._refuse(408, "The request did not arrive in time; send it again.")
        else:
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody dialled."""
        self._since = self.loop.time()
        super().connection_made(transport)
        if len(self.connections) > self.crowd.most:
            self.crowd.look(guests(self.connections), self._since)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more. What came whole is still answered; then the connection is closed."""
        if self.cycle is None or self.cycle.more_body:
            return False
        self.shutdown()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left. uvicorn tells the last request that came, and it is the one before that is answered."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """An answer was given."""
        self._since = self.loop.time()
        super().on_response_complete()
        if self._later:
            self.data_received(b"")

    def pause_writing(self) -> None:
        """The client does not read on."""
        self._since = self.loop.time()
        super().pause_writing()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        if not cycle.keep_alive:
            cycle.transport = _ReadFirst(self, cycle)  # type: ignore[assignment]
        super()._start_asgi_task(cycle, cast(Any, _Answering(app, cycle)))

    def data_received(self, data: bytes) -> None:
        """More bytes came, or those that did may be read."""
        came, at = self._later + data, 0
        while at < len(came) and not self.pipeline and not self.transport.is_closing():
            self._read(came[at : at + _PIECE])
            at += _PIECE
        self._later = b"" if self.transport.is_closing() else came[at:]
        if self._later:
            self.flow.pause_reading()

    def _read(self, piece: bytes) -> None:
        self._held += len(piece)
        super().data_received(piece)
        if self._held > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response(
                f"The headers exceed {MAX_HEADER_BYTES} bytes; send fewer or shorter ones."
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_body = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Raises ValueError, which the parser turns into its own error and uvicorn into 400."""
        self._held, self._in_body = 0, True
        if self.parser.get_http_version() == "1.1" and [name for name, _ in self.headers].count(b"host") != 1:
            raise ValueError("not one Host")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._held = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request ends; the next one may begin in the same bytes."""
        self._held = 0
        super().on_message_complete()
        if self.leaving:
            self.transport.close()

    def _refuse(self, status: int, text: str) -> None:
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % len(text) + text.encode("ascii"))
        self.transport.close()


class _Answering:
    """An app that may be cut off once it has answered: uvicorn would write that down as an error of the app."""

    def __init__(self, app: Any, cycle: RequestResponseCycle) -> None:
        self._app, self._cycle = app, cycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._cycle.response_complete:
                raise


class _ReadFirst:
    """A connection that ends with this answer: who still sends would be reset, and never read it (RFC 9112, 9.6)."""

    def __init__(self, door: BoundedHttp, cycle: RequestResponseCycle) -> None:
        self._door, self._cycle = door, cycle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._door.transport, name)

    def close(self) -> None:
        """Now, or when the request is here; who takes more than a minute is let go."""
        self._door.leaving = self._cycle.response_complete and self._cycle.more_body
        if not self._door.leaving:
            self._door.transport.close()


def guests(connections: Iterable[object]) -> list[BoundedHttp]:
    """Those of a server's connections that were not let go yet."""
    return [one for one in connections if isinstance(one, BoundedHttp) and not one.gone]
