"""Wires notifications: ledger, handlers, sender and teller in one event loop behind a door for health."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
from faststream.nats import NatsBroker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.notifications.bounce_door import BounceDoor
from services.notifications.casefile import Casefiles
from services.notifications.commits import LedgerAway
from services.notifications.core.matrix import matrix as load_matrix
from services.notifications.directory import DirectoryReader
from services.notifications.handlers import Handlers
from services.notifications.ledger import Ledger
from services.notifications.opening import open_ledger
from services.notifications.postman import Postman
from services.notifications.refusing_door import RefusingDoor
from services.notifications.reply_addresses import Addresses, intake_client
from services.notifications.scribe import Scribe
from services.notifications.sender import Sender
from services.notifications.settings import NotificationsSettings
from services.notifications.teller import Teller
from services.runtime.background import Background
from services.runtime.clock import Clock, now
from services.runtime.durables import unreadable
from services.runtime.http import exception_handlers, problem
from services.runtime.logs import log
from services.runtime.messaging import Bus, consuming
from services.runtime.telemetry import Telemetry

USER = "notifications"
DIRECTORY_AWAITED = 10.0
"""Seconds that sending waits for the directory of offices; reporters are then written to without it."""
LAST_MAILS = 4.0
"""Seconds that mails being handed over get when the service stops."""


@dataclass
class Notifications:
    """Everything the service is made of; `bus` and `broker` come when the broker can be reached."""

    settings: NotificationsSettings
    ledger: Ledger
    sender: Sender
    handlers: Handlers
    cases: Casefiles
    postman: Postman
    addresses: Addresses
    offices: DirectoryReader
    bounces: BounceDoor
    clock: Clock
    telemetry: Telemetry | None
    bus: Bus | None
    broker: NatsBroker | None = None
    listening: asyncio.Server | None = None
    given_bus: bool = field(init=False)

    def __post_init__(self) -> None:
        self.given_bus = self.bus is not None


def build_app(
    settings: NotificationsSettings,
    *,
    clock: Clock = now,
    smtp: Postman | None = None,
    intake: httpx.AsyncClient | None = None,
    bus: Bus | None = None,
    telemetry: Telemetry | None = None,
) -> Starlette:
    """The notifications application: its lifespan is the service. Raises BadSettings.

    A given `bus` is used and not closed, and nothing is consumed; otherwise the service connects and consumes.
    """
    token = settings.secret("service-token")
    if bus is None:
        settings.secret(f"nats-{USER}")  # if it is missing, say so now
    offices, matrix = DirectoryReader(), load_matrix()
    ledger = open_ledger(settings, token.encode(), offices.directory, matrix)
    postman = smtp or Postman(settings)
    readers = Addresses(offices.directory, intake or intake_client(settings.intake_address, token))
    scribe = Scribe(ledger, readers, settings, matrix, token.encode())
    sender = Sender(ledger, postman, scribe, settings, clock, matrix, telemetry)
    cases = Casefiles(matrix, bus)
    handlers = Handlers(ledger, clock, sender.due, cases, matrix, offices.directory, telemetry)
    bounces = BounceDoor(ledger, clock, settings.bounces_to, token.encode(), sender.ended)
    parts = Notifications(
        settings, ledger, sender, handlers, cases, postman, readers, offices, bounces, clock, telemetry, bus
    )
    app = Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route("/readyz", _readyz(parts)),
            RefusingDoor(ledger, clock, token.encode()).route(),
        ],
        exception_handlers=exception_handlers,
        lifespan=lambda _app: _running(parts),
    )
    app.router.redirect_slashes = False
    app.state.parts = parts
    return app


@asynccontextmanager
async def _running(parts: Notifications) -> AsyncIterator[None]:
    background = Background()
    background.begin(_work(parts))
    try:
        yield
    finally:
        if parts.listening is not None:
            parts.listening.close()
        if parts.broker is not None:
            await parts.broker.stop()
        await parts.sender.stop(LAST_MAILS)
        await background.stop()
        await parts.postman.close()
        await parts.addresses.close()
        if parts.bus is not None and not parts.given_bus:
            await parts.bus.close()
        await parts.ledger.close()


async def _work(parts: Notifications) -> None:
    """Open the ledger, then send, tell and consume until cancelled."""
    await _opened(parts.ledger)
    if parts.settings.bounce_port:
        parts.listening = await parts.bounces.open(parts.settings.bounce_port)
    async with asyncio.TaskGroup() as group:
        group.create_task(_sending(parts))
        bus = parts.bus or await Bus.connect(parts.settings, USER, telemetry=parts.telemetry)
        parts.bus = parts.cases.bus = bus
        group.create_task(Teller(parts.ledger, bus, parts.sender.ended).run())
        await parts.offices.open(bus)
        group.create_task(parts.offices.follow(bus))
        group.create_task(parts.handlers.take_over())
        if not parts.given_bus:
            subscribe = parts.handlers.subscribe
            parts.broker = await consuming(parts.settings, USER, parts.telemetry, subscribe)


async def _sending(parts: Notifications) -> None:
    """Send, when offices can be found: a mail tried before that would wait for its next try after every start."""
    with suppress(TimeoutError):
        await asyncio.wait_for(parts.offices.opened.wait(), DIRECTORY_AWAITED)
    await parts.handlers.taken_over.wait()
    await parts.sender.run()


async def _opened(ledger: Ledger) -> None:
    while True:
        try:
            await ledger.start()
        except LedgerAway as trouble:
            log("ledger.awaited", level="WARNING", error=str(trouble))
            await asyncio.sleep(1)
        else:
            return


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _readyz(parts: Notifications) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(_request: Request) -> Response:
        """Ready when notices can be recorded; a mail server that is away means later, so it is a warning only."""
        reasons = []
        try:
            counts = await parts.ledger.counts()
        except LedgerAway:
            counts = {}
            reasons.append("the ledger does not answer")
        if parts.bus is None or (parts.broker is None and not parts.given_bus):
            reasons.append("the broker or its durables are not there yet")
        elif not parts.given_bus and not parts.bus.nc.is_connected:
            reasons.append("the broker does not answer")
        elif not parts.given_bus:
            reasons += await unreadable(parts.bus, "notifications")
        if not reasons:
            return JSONResponse({"status": "ok", "notices": counts, "warnings": _warnings(parts)})
        answer = problem(503, "Not ready", "; ".join(reasons) + ".", reasons=reasons)
        answer.headers["Retry-After"] = "5"
        return answer

    return readyz


def _warnings(parts: Notifications) -> list[str]:
    """What people should look at although notices are recorded: this is the alarm that needs no mail."""
    found = [parts.sender.road.trouble(parts.clock()), parts.offices.trouble]
    if parts.settings.bounce_port and parts.listening is None:
        found.append(f"bounces cannot be heard: port {parts.settings.bounce_port} is taken; set bounce_port")
    return [warning for warning in found if warning]
