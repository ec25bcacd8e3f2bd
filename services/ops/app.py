"""Wires the ops page: the receiver of spans, the watch over the others, the pages, and its own `/metrics`."""

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ops.exposition import registry_of
from services.ops.otlp import MAX_BYTES, NotOtlp, read
from services.ops.pages import Pages
from services.ops.settings import OpsSettings
from services.ops.store import Spans
from services.ops.watching import Keys, Watch
from services.runtime.background import Background
from services.runtime.clock import Clock, now
from services.runtime.database import open_engine
from services.runtime.http import TooLarge, TooSlow, body_within, exception_handlers, problem, same
from services.runtime.logs import log
from services.runtime.metrics_door import MetricsDoor
from services.runtime.settings import BadSettings

PRUNE_SECONDS = 60.0


def build_app(settings: OpsSettings, *, clock: Clock = now, watch: Watch | None = None) -> ASGIApp:
    """The ops page. Raises BadSettings when a secret is missing."""
    operator = _operator_key(settings)
    token = settings.secret("metrics-token")
    spans = Spans(
        open_engine(f"sqlite+aiosqlite:///{settings.data_dir.absolute() / 'ops.db'}", durable=False)
    )
    watching = watch or Watch(settings, Keys(token, operator), clock)
    app = Starlette(
        routes=[
            *Pages(spans, watching, settings, operator).routes(),
            Route("/v1/traces", _receiver(spans), methods=["POST"]),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", _healthz, methods=["GET"]),
        ],
        exception_handlers={**exception_handlers, SQLAlchemyError: _store_away},
        lifespan=lambda _app: _running(settings, spans, watching, clock),
    )
    guarded = app if settings.open_to_all_here else _Guard(app, settings.secret("ops-token"))
    return MetricsDoor(_Here(guarded, settings), registry_of(watching), token)


@asynccontextmanager
async def _running(settings: OpsSettings, spans: Spans, watch: Watch, clock: Clock) -> AsyncIterator[None]:
    await spans.open()
    background = Background()
    background.begin(watch.run(), _prune(settings, spans, clock))
    yield
    await background.stop()
    await watch.close()
    await spans.engine.dispose()


async def _prune(settings: OpsSettings, spans: Spans, clock: Clock) -> None:
    while True:
        oldest = clock() - timedelta(hours=settings.spans_keep_hours)
        try:
            if gone := await spans.prune(int(oldest.timestamp() * 1e9), settings.spans_keep_most):
                log("ops.traces_dropped", traces=gone)
        except SQLAlchemyError as trouble:
            log("ops.prune_failed", level="WARNING", error=type(trouble).__name__)
        await asyncio.sleep(PRUNE_SECONDS)


def _receiver(spans: Spans) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        """`POST /v1/traces`: OTLP over HTTP, protobuf. An empty answer is OTLP's success."""
        try:
            body = await body_within(request, MAX_BYTES)
            rows = await asyncio.to_thread(read, body, request.headers.get("content-encoding", ""))
        except TooLarge as large:
            return problem(413, "Too large", str(large))
        except TooSlow:
            return problem(408, "Too slow", "The spans did not arrive in time.")
        except NotOtlp as fault:
            return problem(400, "Not OTLP", str(fault))
        await spans.keep(rows)
        return Response(b"", media_type="application/x-protobuf")

    return receive


class _Here:
    """A page without a password must not be reached under a foreign name (DNS rebinding)."""

    def __init__(self, app: ASGIApp, settings: OpsSettings) -> None:
        self._app, self._open = app, settings.open_to_all_here
        names = ("127.0.0.1", "localhost", "[::1]")
        self._hosts = {f"{name}:{settings.ops_port}" for name in names} | set(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._open and Request(scope).headers.get("host") not in self._hosts:
            refusal = problem(421, "Not this host", "The ops page answers under 127.0.0.1 or localhost only.")
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Guard:
    """Asks for the ops-token, as a bearer token or as the password of any user (browsers)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not same(_password(Request(scope)), self._token):
            refusal = problem(401, "Who are you?", "Give the ops-token as the password of any user.")
            refusal.headers["WWW-Authenticate"] = 'Basic realm="Netral ops"'
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _password(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return given.strip()
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _operator_key(settings: OpsSettings) -> str:
    try:
        return str(json.loads(settings.secret("agency-keys.json"))["OPERATOR"])
    except (ValueError, KeyError):
        raise BadSettings(f"{settings.data_dir}/secrets/agency-keys.json: holds no key OPERATOR") from None


async def _store_away(_request: Request, _error: Exception) -> Response:
    return problem(503, "Not available", "The store of traces does not answer; try again.")


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})
