"""One SERVER span and one log line for each HTTP request, without address, path, query or headers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runtime.clock import Clock, now
from services.runtime.logs import where
from services.runtime.metrics import Timed
from services.runtime.problems import cut_off, internal_error
from services.runtime.telemetry import Telemetry, child_of, instruments_of, mark_failed, sender_of, tracer_of

OTHER = "_OTHER"
"""Stands for a method that HTTP does not know: the caller invented it, so it is not repeated."""
_PROBES = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by whoever watches; a trace of each would bury the others."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


@dataclass
class _Exchange:
    method: str
    started: datetime
    status: int | None = None
    problem: BaseException | None = None

    @property
    def error(self) -> str | None:
        """The type of what went wrong on our side, if something did."""
        if self.status is not None and self.status < 500:
            return None
        return type(self.problem).__name__ if self.problem else str(self.status or "no answer")

    @property
    def level(self) -> str:
        """Of its line. Cut off when we were told to stop is no error of ours: whoever asked was told to ask again."""
        if isinstance(self.problem, asyncio.CancelledError) and self.status is not None:
            return "WARNING"
        return "ERROR" if self.error else "INFO"


class TracedHttp:
    """ASGI middleware around a whole Starlette app with flat routes.

    On the public edge each request is a new trace, linked to the caller's. With `trust_incoming` (for a port
    that only our own services reach) it continues the caller's. An exception ends here: it is recorded, and
    answered with 500 where the app has not answered; a request cut off by our end with 503.
    """

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry | None,
        log: Callable[..., None],
        *,
        service: str,
        trust_incoming: bool = False,
        clock: Clock = now,
    ) -> None:
        self._app = app
        self._tracer = tracer_of(telemetry)
        self._instruments = instruments_of(telemetry)
        self._log = log
        self._service = service
        self._trusts = trust_incoming
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else OTHER
        exchange = _Exchange(method, self._clock())
        span = INVALID_SPAN if scope["path"] in _PROBES else self._start(method, scope)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                await self._answer(exchange, scope, receive, send)
            except BaseException as stopped:
                exchange.problem = stopped
                raise
            finally:
                route = getattr(scope.get("route"), "path_format", None)
                _describe(span, exchange, route)
                self._say(span, exchange, route)
                self._measure(exchange, route)

    def _start(self, method: str, scope: Scope) -> Span:
        sender = sender_of(Headers(scope=scope))
        linked = sender is not None and not self._trusts
        return self._tracer.start_span(
            "HTTP" if method == OTHER else method,
            context=child_of(sender if self._trusts else None),
            kind=SpanKind.SERVER,
            links=[Link(sender, {"netral.link.reason": "caller"})] if sender is not None and linked else [],
            attributes={"http.request.method": method, "url.scheme": scope.get("scheme", "http")},
        )

    async def _answer(self, exchange: _Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as failure:
            exchange.problem = failure
            if exchange.status is None:
                await internal_error()(scope, receive, watched)
        except asyncio.CancelledError:  # its time was over: the server's own answer would be a bare 500
            if exchange.status is None:
                await cut_off()(scope, receive, watched)
            raise

    def _measure(self, exchange: _Exchange, route: str | None) -> None:
        """Also an unanswered request is counted: a client that left is no success."""
        self._instruments.time(
            Timed.HTTP_SERVED,
            (self._clock() - exchange.started).total_seconds(),
            method=exchange.method,
            route=route or "",
            status=str(exchange.status or ""),
            error=exchange.error or "",
        )

    def _say(self, span: Span, exchange: _Exchange, route: str | None) -> None:
        context = span.get_span_context()
        self._log(
            "http.handled",
            level=exchange.level,
            service=self._service,
            method=exchange.method,
            route=route,
            status=exchange.status,
            duration_ms=round((self._clock() - exchange.started) / timedelta(milliseconds=1), 1),
            error=exchange.error,
            where=where(exchange.problem) if exchange.problem else None,
            trace_id=trace.format_trace_id(context.trace_id) if context.is_valid else None,
        )


def _describe(span: Span, exchange: _Exchange, route: str | None) -> None:
    if route is not None:
        span.update_name(f"{'HTTP' if exchange.method == OTHER else exchange.method} {route}")
        span.set_attribute("http.route", route)
    if exchange.status is not None:
        span.set_attribute("http.response.status_code", exchange.status)
    if exchange.error is not None:
        mark_failed(span, exchange.error)
