"""uvicorn's HTTP/1.1 by httptools, with a limit to what is held before a body, and as strict as RFC 9112 asks."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 65_536


class BoundedHttp(HttpToolsProtocol):
    """Refuses endless headers with 400, and a request of HTTP/1.1 without exactly one Host (RFC 9112, 3.2).

    Trailers are dropped: a header that comes after the body must not stand beside those that were looked at before it.
    """

    _held = 0
    """Bytes that came since a request's headers or a piece of its body were complete."""
    _in_body = False

    def data_received(self, data: bytes) -> None:
        """More bytes came."""
        self._held += len(data)
        super().data_received(data)
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
