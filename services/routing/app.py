"""Wires the routing service: judge, bus and views into the handlers and the doors."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from faststream.nats import NatsBroker
from nats.errors import Error as NatsError
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.topology import CONSUMERS
from services.routing.agencies.wiring import Agencies, agencies_of
from services.routing.agency_feed import AgencyFeed
from services.routing.api import AgencyDoors
from services.routing.calendar_api import CalendarDoors
from services.routing.calendar_law import CalendarLaw
from services.routing.casebook import Casebook
from services.routing.core.decide import Judge
from services.routing.deciding import load_judge
from services.routing.deliveries_api import DeliveryDoors
from services.routing.delivery.push import Push
from services.routing.dossiers import Dossiers, open_dossiers
from services.routing.handlers import subscribe, subscribe_case_events, subscribe_push
from services.routing.law import Law
from services.routing.law_api import LawDoors
from services.routing.linking import Linking
from services.routing.match_queries import MatchQueries
from services.routing.matches_api import MatchDoors
from services.routing.matter_queries import MatterQueries
from services.routing.matters_api import MatterDoors
from services.routing.openapi import api_document
from services.routing.rebuild_api import RebuildDoors
from services.routing.rebuilding import catch_up
from services.routing.reckoning import Reckoning
from services.routing.sealed_words import ANOTHER_KEY, another_key
from services.routing.settings import RoutingSettings
from services.routing.steps_api import StepDoors
from services.routing.stream_api import StreamDoors
from services.routing.succession import Succession
from services.routing.succession_api import SuccessionDoors
from services.routing.timekeeping import Timekeeping
from services.routing.views import Views
from services.routing.webhooks_api import WebhookDoors
from services.routing.words import Words
from services.routing.yaml_nodes import BrokenRulebook
from services.runtime.clock import Clock, now
from services.runtime.database import open_engine
from services.runtime.http import exception_handlers, problem
from services.runtime.logs import log
from services.runtime.messaging import BrokerAway, Bus, open_broker
from services.runtime.settings import BadSettings
from services.runtime.telemetry import Telemetry, instruments_of


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
    parts = _Parts(settings, clock, judge or load_judge(), views, agencies, telemetry)
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
            Route("/readyz", _readyz(parts), methods=["GET"]),
        ],
        exception_handlers={**exception_handlers, SQLAlchemyError: _database_away},
        lifespan=lambda _app: _running(parts, opened),
    )
    app.router.redirect_slashes = False  # a redirect would follow the Host header a stranger sent
    return app


class _Parts:
    """What lives as long as the application; `bus` and `broker` once they are connected."""

    def __init__(
        self,
        settings: RoutingSettings,
        clock: Clock,
        judge: Judge,
        views: Views,
        agencies: Agencies,
        telemetry: Telemetry | None,
    ) -> None:
        self.settings, self.clock, self.law = settings, clock, Law(judge, clock)
        self.dates = CalendarLaw(self.law, clock)
        self.views, self.agencies, self.telemetry = views, agencies, telemetry
        self.bus: Bus | None = None
        self.broker: NatsBroker | None = None
        self.words = Words(settings.secret("case.key"))
        self.push = Push(settings, lambda: self.bus, clock, telemetry)
        self.another_key = False
        """Whether words of the log do not open with this case.key."""
        self.casebook: Casebook | None = None
        self.succession: Succession | None = None
        self.linking: Linking | None = None
        self.reckoning: Reckoning | None = None
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.views.open()
        await self.agencies.keys.open(self.settings)
        self.bus = await Bus.connect(self.settings, "routing", telemetry=self.telemetry)
        await self.agencies.book.open(self.bus)
        await self.law.open(self.bus)
        await self.dates.open(self.bus)
        await catch_up(self.bus, self.views)
        self.another_key = await another_key(self.words, self.views)
        self.casebook = Casebook(self.bus, self.law, self.clock, self.words)
        made = instruments_of(self.telemetry)
        time = Timekeeping(
            self.bus, self.casebook, self.views.engine, self.clock, self.settings.sweep_seconds, made
        )
        matters = MatterQueries(self.views.engine)
        self.succession = Succession(self.casebook, matters, self.clock)
        self.reckoning = Reckoning(
            self.bus, self.casebook, self.law, matters, self.clock, self.settings.sweep_seconds
        )
        follow = (
            self.law.follow(self.bus),
            self.dates.follow(self.bus),
            self.reckoning.watch(),
            self.agencies.book.follow(self.bus),
            AgencyFeed(self.bus).follow(),
            time.sweep.watch(),
            self.push.run(self.bus),
        )
        pairs = MatchQueries(self.views.engine)
        self.linking = Linking(self.bus, self.casebook, pairs, self.clock, self.words)
        self.tasks = [asyncio.create_task(part) for part in (*follow, self.linking.watch())]
        broker = open_broker(self.settings, "routing", self.telemetry)
        subscribe(broker, law=self.law, bus=self.bus, clock=self.clock, instruments=made)
        subscribe_case_events(broker, views=self.views, clock=self.clock, time=time)
        subscribe_push(broker, self.push)
        await broker.start()
        self.broker = broker

    async def accepted(self, report_id: UUID) -> bytes | None:
        """The event of an accepted report, also before it is decided; None if there is none or the broker is away."""
        try:
            return await self.bus.read(f"reports.{report_id}.accepted") if self.bus else None
        except BrokerAway:
            return None

    async def stop(self) -> None:
        await _ended(self.tasks)
        if self.broker:
            await self.broker.stop()
        await self.push.stop()
        if self.bus:
            await self.bus.close()
        await self.views.engine.dispose()


async def _ended(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel until they end: asyncio.wait_for of Python 3.11 may swallow one cancellation (python/cpython#86296)."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)


@asynccontextmanager
async def _running(parts: _Parts, dossiers: Dossiers) -> AsyncIterator[None]:
    starting = asyncio.create_task(parts.start())
    starting.add_done_callback(_or_end)
    try:
        yield
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await parts.stop()
        await dossiers.close()


def _or_end(starting: "asyncio.Task[None]") -> None:
    """A service that cannot start must end, so that whoever watches it restarts it and says so."""
    if not starting.cancelled() and (trouble := starting.exception()):
        reason = str(trouble)[:300] if isinstance(trouble, BrokenRulebook | BadSettings) else None
        log("service.cannot_start", level="ERROR", error=type(trouble).__name__, reason=reason)
        signal.raise_signal(signal.SIGTERM)


async def _database_away(_request: Request, _error: Exception) -> Response:
    refusal = problem(503, "Not available", "The case database does not answer; try again later.")
    refusal.headers["Retry-After"] = "5"
    return refusal


async def _openapi(_request: Request) -> Response:
    return JSONResponse(api_document())


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _readyz(parts: _Parts) -> Callable[[Request], object]:
    async def readyz(_request: Request) -> Response:
        reasons = await _missing(parts)
        if not reasons:
            return JSONResponse({"status": "ok"})
        return problem(503, "Not ready", "; ".join(reasons) + ".", reasons=reasons)

    return readyz


async def _missing(parts: _Parts) -> list[str]:
    """What keeps routing from working, each as one phrase."""
    reasons = [ANOTHER_KEY] if parts.another_key else []
    try:
        await parts.views.position("CASES")
    except SQLAlchemyError:
        reasons.append("the database does not answer")
    if parts.bus is None or parts.broker is None:
        return [*reasons, "the broker is not connected yet"]
    if not parts.push.ready:
        reasons.append("the database of webhooks does not answer")
    followed = (parts.law, parts.dates, parts.agencies.book)
    reasons += [one.unreadable for one in followed if one.unreadable]
    for consumer in (consumer for consumer in CONSUMERS if consumer.service == "routing"):
        try:
            async with asyncio.timeout(2):
                await parts.bus.js.consumer_info(consumer.stream, consumer.name)
        except (NatsError, TimeoutError):
            reasons.append(f"the durable {consumer.name} cannot be read")
    return reasons
