"""The same pipeline as one usually writes it: FastAPI, pydantic and FastStream with its defaults, and rules as ifs.

Each message is one publish. With a vault it does what our door does: nothing that identifies a person is published.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

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


def build(settings: Settings, kind: str, vault: UsualVault | None = None) -> FastAPI:
    """Door and worker in one process, over the stream that is named as the kind is."""
    broker, stream = _broker(settings), kind.upper()
    durable = {
        "stream": JStream(stream, subjects=[f"{kind}.>"], declare=False),
        "durable": kind,
        "pull_sub": True,
    }

    async def tell(subject: str, body: Any) -> None:
        await broker.publish(body, f"{kind}.{subject}", stream=stream)

    async def tell_all(status: Status) -> None:
        told = agencies_of(status)
        await tell("decided", {"agencies": told})
        for agency in told:
            await tell(f"offered.{agency}", {"agency": agency})

    @broker.subscriber(f"{kind}.report", **durable)
    async def route(report: Report) -> None:
        await tell_all(report.persons[0].status)

    @broker.subscriber(f"{kind}.accepted", **durable | {"durable": f"{kind}-accepted"})
    async def route_accepted(event: ReportAccepted) -> None:
        await tell_all(event.data.facts.persons[0].status)

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        if vault:
            await vault.open()
        await broker.start()
        yield
        await broker.stop()
        if vault:
            await vault.close()

    app = FastAPI(lifespan=running)

    @app.post("/v1/reports", status_code=202)
    async def post(report: Report, idempotency_key: Annotated[str, Header()]) -> dict[str, str]:
        if vault is None:
            await tell("report", report.model_dump(mode="json", by_alias=True))
            return {"ok": "yes"}
        event, answer = await vault.keep(report, idempotency_key)
        await tell("accepted", event.model_dump(mode="json", by_alias=True))
        return answer

    return app


def _broker(settings: Settings) -> NatsBroker:
    options = connection(settings, "operator")
    return NatsBroker(
        options["servers"],
        security=SASLPlaintext(options["user"], options["password"]),
        inbox_prefix=b"_INBOX_operator",
        logger=None,
    )
