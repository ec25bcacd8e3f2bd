"""Wires the routing service: judge, bus and views into the handlers and the doors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.routing.agencies.wiring import agencies_of
from services.routing.api import AgencyDoors
from services.routing.calendar_api import CalendarDoors
from services.routing.core.decide import Judge
from services.routing.deciding import load_judge
from services.routing.deliveries_api import DeliveryDoors
from services.routing.dossiers import Dossiers, open_dossiers
from services.routing.law_api import LawDoors
from services.routing.match_queries import MatchQueries
from services.routing.matches_api import MatchDoors
from services.routing.matters_api import MatterDoors
from services.routing.openapi import api_document
from services.routing.parts import Parts
from services.routing.readiness import readyz
from services.routing.rebuild_api import RebuildDoors
from services.routing.settings import RoutingSettings
from services.routing.steps_api import StepDoors
from services.routing.stream_api import StreamDoors
from services.routing.succession_api import SuccessionDoors
from services.routing.views import Views
from services.routing.webhooks_api import WebhookDoors
from services.runtime.clock import Clock, now
from services.runtime.database import open_engine
from services.runtime.http import exception_handlers, problem
from services.runtime.telemetry import Telemetry


def build_app(
    settings: RoutingSettings,
    *,
    clock: Clock = now,
    judge: Judge | None = None,
    dossiers: Dossiers | None = None,
    telemetry: Telemetry | None = None,
) -> Starlette:
    """The routing application. Raises BadSettings and BrokenRulebook: it must not start with a broken rulebook."""
    views = Views(open_engine(settings.cases_address))
    agencies = agencies_of(settings, views.engine, clock)
    keys = agencies.keys
    opened = dossiers or open_dossiers(settings.intake_address, settings)
    parts = Parts(settings, clock, judge or load_judge(), views, agencies, telemetry)
    app = Starlette(
        routes=[
            *AgencyDoors(views, keys, opened, parts.accepted, parts.words).routes(),
            *StepDoors(keys, views, lambda: parts.casebook, clock).routes(),
            *MatterDoors(keys, views.engine, clock).routes(),
            *MatchDoors(keys, MatchQueries(views.engine), lambda: parts.linking, opened, clock).routes(),
            *LawDoors(parts.law, keys, lambda: parts.bus).routes(),
            *CalendarDoors(parts.dates, keys, lambda: parts.bus, lambda: parts.reckoning).routes(),
            *RebuildDoors(keys, views, lambda: parts.bus).routes(),
            *SuccessionDoors(keys, parts.law, lambda: parts.succession, clock).routes(),
            *agencies.routes(lambda: parts.bus, clock),
            *StreamDoors(keys, lambda: parts.bus).routes(),
            *WebhookDoors(keys, parts.push, clock).routes(),
            *DeliveryDoors(keys, parts.push.questions, parts.words).routes(),
            Route("/openapi.json", _openapi, methods=["GET"]),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", readyz(parts), methods=["GET"]),
        ],
        exception_handlers={**exception_handlers, SQLAlchemyError: _database_away},
        lifespan=lambda _app: _running(parts, opened),
    )
    app.router.redirect_slashes = False  # a redirect would follow the Host header a stranger sent
    return app


@asynccontextmanager
async def _running(parts: Parts, dossiers: Dossiers) -> AsyncIterator[None]:
    parts.background.begin(parts.start())
    try:
        yield
    finally:
        await parts.stop()
        await dossiers.close()


async def _database_away(_request: Request, _error: Exception) -> Response:
    refusal = problem(503, "Not available", "The case database does not answer; try again later.")
    refusal.headers["Retry-After"] = "5"
    return refusal


async def _openapi(_request: Request) -> Response:
    return JSONResponse(api_document())


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})
