"""Wires the intake service: vault and bus into the handlers, those into the doors, and the tasks beside."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from nats.aio.msg import Msg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.answers import Health
from services.intake.audit import Audit
from services.intake.doors import RETRY_AFTER, Doors, answer, with_headers
from services.intake.handlers import Intake
from services.intake.internal import InternalDoors
from services.intake.match_index import MatchIndex
from services.intake.matcher import AT_ONCE, DURABLE, Matcher
from services.intake.sealing import Sealer
from services.intake.settings import IntakeSettings
from services.intake.traffic import Traffic
from services.intake.vault import Vault
from services.intake.vault_keys import AnotherKey
from services.intake.vault_writer import VaultAway
from services.runtime.background import Background
from services.runtime.clock import Clock, now
from services.runtime.database import open_engine
from services.runtime.gathering import Gathering
from services.runtime.http import exception_handlers, problem
from services.runtime.logs import log
from services.runtime.messaging import BrokerAway, Bus
from services.runtime.telemetry import Telemetry, instruments_of, tracer_of

UNSETTLED_AFTER = timedelta(seconds=60)
RECONCILE_EVERY = 30.0
POSTPONED_BY = 3.0
_NOBODY = "reports.00000000-0000-0000-0000-000000000000.accepted"
"""A subject that stays empty: asking for it proves that the stream can be read."""


def build_app(
    settings: IntakeSettings,
    *,
    clock: Clock = now,
    bus: Bus | None = None,
    telemetry: Telemetry | None = None,
    traffic: Traffic | None = None,
) -> Starlette:
    """The intake application. Raises BadSettings when a key is missing.

    A given `bus` is used and not closed; otherwise one is connected, for as long as that takes.
    """
    engine = open_engine(settings.vault_address)
    vault, sealer, door_key = (
        Vault(engine, tracer_of(telemetry)),
        Sealer(settings.key("vault.key")),
        settings.key("door.key"),
    )
    intake = Intake(vault, sealer, door_key, clock, bus, instruments_of(telemetry), traffic)
    matcher = Matcher(vault, MatchIndex(engine), sealer, door_key, clock)
    routes = [
        *Doors(intake, settings, clock).routes(),
        *InternalDoors(vault, sealer, settings.secret("service-token")).routes(),
        Route("/readyz", _readyz(intake, vault), methods=["GET"]),
    ]

    app = Starlette(
        routes=routes,
        exception_handlers=exception_handlers,
        lifespan=lambda _app: _running(settings, intake, vault, matcher, clock, telemetry),
    )
    app.router.redirect_slashes = False  # a redirect would follow the Host header a stranger sent
    return app


@asynccontextmanager
async def _running(
    settings: IntakeSettings,
    intake: Intake,
    vault: Vault,
    matcher: Matcher,
    clock: Clock,
    telemetry: Telemetry | None,
) -> AsyncIterator[None]:
    given = intake.bus
    background = Background()
    audit = Audit(vault, instruments_of(telemetry)) if given is None else None
    background.begin(_open(vault, settings.keys), _reconcile(intake, audit, clock))
    if given is None:
        background.begin(_connect(intake, matcher, settings, telemetry))
    try:
        yield
    finally:
        try:
            await background.stop()
            if given is None and intake.bus is not None:
                await intake.bus.close()
        finally:
            await vault.close()


async def _open(vault: Vault, keys: Mapping[str, bytes]) -> None:
    while True:
        try:
            await vault.start(keys)
        except AnotherKey as wrong:  # it stays closed, and the service is not ready, until somebody mends it
            log("vault.another_key", level="ERROR", reason=str(wrong))
            return
        except VaultAway as trouble:
            log("vault.awaited", level="WARNING", error=str(trouble))
            await asyncio.sleep(1)
        else:
            return


async def _connect(
    intake: Intake, matcher: Matcher, settings: IntakeSettings, telemetry: Telemetry | None
) -> None:
    """Open the bus for the door, then compare reports until cancelled, while nobody waits at the door."""
    bus = intake.bus = matcher.bus = await Bus.connect(settings, "intake", telemetry=telemetry)

    async def compare(messages: Sequence[Msg]) -> None:
        await intake.traffic.gone()
        await matcher.handle(messages)

    await Gathering(bus.nc, DURABLE, compare, telemetry, AT_ONCE).follow()


async def settle(
    intake: Intake, audit: Audit | None, before: datetime, doubted: frozenset[UUID]
) -> frozenset[UUID]:
    """`Intake.reconcile`, but not where the audit finds that the broker lost reports: nothing follows from what it lacks.

    Raises BrokerAway, VaultAway.
    """
    if audit and intake.bus and (await audit.look(intake.bus, before)).stream:
        return doubted
    return await intake.reconcile(before, doubted)


async def _reconcile(intake: Intake, audit: Audit | None, clock: Clock) -> None:
    doubted: frozenset[UUID] = frozenset()
    while True:
        pause = RECONCILE_EVERY
        try:
            doubted = await settle(intake, audit, clock() - UNSETTLED_AFTER, doubted)
        except (BrokerAway, VaultAway) as trouble:
            log("reconcile.postponed", error=type(trouble).__name__)
            pause = POSTPONED_BY
        except Exception as trouble:  # the next round must come, whatever this one met
            log("reconcile.failed", level="ERROR", error=type(trouble).__name__)
        await asyncio.sleep(pause)


def _readyz(intake: Intake, vault: Vault) -> Callable[[Request], object]:
    async def readyz(_request: Request) -> Response:
        """`GET /readyz`."""
        reasons = [] if await vault.works() else [str(vault.another_key or "the vault does not answer")]
        if trouble := await _trouble(intake):
            reasons.append(trouble)
        if not reasons:
            return answer(200, Health(warnings=[trouble] if (trouble := vault.trouble) else []))
        return with_headers(problem(503, "Not ready", "; ".join(reasons) + ".", reasons=reasons), RETRY_AFTER)

    return readyz


async def _trouble(intake: Intake) -> str:
    """Why nothing can be stored; empty when it can."""
    if intake.bus is None:
        return "the broker does not answer"
    try:
        async with asyncio.timeout(2):
            await intake.bus.stored(_NOBODY)
    except BrokerAway as away:
        return str(away)
    except TimeoutError:
        return "the broker does not answer"
    return ""
