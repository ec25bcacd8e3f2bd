"""The same pipeline as one usually writes it: FastAPI, pydantic and FastStream with its defaults, and rules as ifs.

Each message is one publish. With a vault it does what our door does: nothing that identifies a person is published.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated

from fastapi import FastAPI, Header
from faststream.nats import JStream, NatsBroker
from faststream.security import SASLPlaintext

from contracts.codes import Status
from contracts.events import ReportAccepted
from contracts.report import Report
from services.runtime.connecting import connection
from services.runtime.settings import Settings
from tests.bench.usual_vault import UsualVault

AGENCIES = {"PNS": ("BKN", "BAWASLU", "KEMENPANRB", "KEMENDAGRI"), "PPPK": ("BKN", "BAWASLU", "KEMENPANRB")}
STORED_BY_THE_USUAL = 6
"""Messages a report: the report, the decision and four agencies told."""


def agencies_of(status: Status) -> tuple[str, ...]:
    """Rules as ifs."""
    if status == "PPPK":
        return AGENCIES["PPPK"]
    return AGENCIES["PNS"]


def door(settings: Settings, kind: str, vault: UsualVault | None = None) -> FastAPI:
    """Publishes to the stream that is named as the kind is."""
    broker, stream = usual_broker(settings), kind.upper()

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        async with vault.opened() if vault else nullcontext():
            await broker.start()
            yield
            await broker.stop()

    app = FastAPI(lifespan=running)

    @app.post("/v1/reports", status_code=202)
    async def post(report: Report, idempotency_key: Annotated[str, Header()]) -> dict[str, str]:
        if vault is None:
            await broker.publish(
                report.model_dump(mode="json", by_alias=True), f"{kind}.report", stream=stream
            )
            return {"ok": "yes"}
        event, answer = await vault.keep(report, idempotency_key)
        await broker.publish(event.model_dump(mode="json", by_alias=True), f"{kind}.accepted", stream=stream)
        return answer

    return app


async def work(settings: Settings, kind: str) -> None:
    """Routes what the door of this kind publishes, until cancelled."""
    broker, stream = usual_broker(settings), kind.upper()
    declared = JStream(stream, subjects=[f"{kind}.>"], declare=False)

    async def tell_all(status: Status) -> None:
        told = agencies_of(status)
        await broker.publish({"agencies": told}, f"{kind}.decided", stream=stream)
        for agency in told:
            await broker.publish({"agency": agency}, f"{kind}.offered.{agency}", stream=stream)

    @broker.subscriber(f"{kind}.report", durable=f"{kind}-report", stream=declared, pull_sub=True)
    async def route(report: Report) -> None:
        await tell_all(report.persons[0].status)

    @broker.subscriber(f"{kind}.accepted", durable=f"{kind}-accepted", stream=declared, pull_sub=True)
    async def route_accepted(event: ReportAccepted) -> None:
        await tell_all(event.data.facts.persons[0].status)

    await broker.start()
    await asyncio.Event().wait()


def usual_broker(settings: Settings) -> NatsBroker:
    """FastStream with its defaults, as the operator, who may write what the peers write."""
    options = connection(settings, "operator")
    return NatsBroker(
        options["servers"],
        security=SASLPlaintext(options["user"], options["password"]),
        inbox_prefix=b"_INBOX_operator",
        logger=None,
    )
