"""`GET /metrics`: the figures of a process for Prometheus, for the holder of the secret `metrics-token` only."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.runtime.http import bearer, problem, same

PATH = "/metrics"


class MetricsDoor:
    """ASGI middleware: answers PATH from the registry and passes everything else on. It reads no table."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry, token: str) -> None:
        self._app, self._registry, self._token = app, registry, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._answer(Request(scope))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return problem(405, "Only GET", "The figures can only be read.")
        if not same(bearer(request) or "", self._token):
            refusal = problem(401, "Who are you?", "Send the metrics token as Authorization: Bearer …")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
