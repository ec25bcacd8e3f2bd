"""The public HTTP door: turns requests into the handlers' words, and their answers into HTTP."""

import re
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.door import MAX_BYTES, read_json
from contracts.faults import InvalidDocument
from contracts.ids import report_id_of
from services.intake.answers import (
    AFTER_CLOSING,
    AFTER_REPORTING,
    AFTER_ROUTING,
    WHILE_RECEIVED,
    Health,
    ReportAnswer,
    StatusAnswer,
)
from services.intake.handlers import Intake, OtherBody, Received
from services.intake.news import news_of
from services.intake.openapi import api_document
from services.intake.settings import IntakeSettings
from services.intake.vault_writer import VaultAway
from services.intake.wrong_receipts import WrongReceipts
from services.runtime.clock import Clock
from services.runtime.http import TooLarge, TooSlow, body_within, problem
from services.runtime.messaging import BrokerAway

RETRY_AFTER = {"Retry-After": "5"}
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class Doors:
    """The routes of the public door."""

    def __init__(self, intake: Intake, settings: IntakeSettings, clock: Clock) -> None:
        self._intake = intake
        self._base = settings.public_address
        self._clock = clock
        self._wrong = WrongReceipts()

    def routes(self) -> list[Route]:
        """Everything a citizen's or an importer's client may call."""
        return [
            Route("/v1/reports", self.submit, methods=["POST"]),
            Route("/v1/reports/{ticket}", self.status, methods=["GET"]),
            Route("/openapi.json", self.openapi, methods=["GET"]),
            Route("/healthz", self.healthz, methods=["GET"]),
        ]

    async def submit(self, request: Request) -> Response:
        """`POST /v1/reports`."""
        if (refused := _refused_by_headers(request)) is not None:
            return refused
        try:
            raw = await body_within(request, MAX_BYTES)
        except TooLarge:
            return problem(
                413, "Too large", f"The report is larger than {MAX_BYTES} bytes; shorten or split it."
            )
        except TooSlow:
            return problem(408, "Too slow", "The report did not arrive within 30 seconds; send it again.")
        try:
            document = read_json(raw)
        except InvalidDocument as fault:
            return problem(400, "Not JSON", f"The body {fault.faults[0].says}.")
        return await self._submitted(raw, document, request.headers.get("idempotency-key"))

    async def status(self, request: Request) -> Response:
        """`GET /v1/reports/{ticket}`; an unknown ticket and a wrong receipt get one and the same answer."""
        ticket = request.path_params["ticket"].strip().upper()
        report_id, now = report_id_of(ticket), self._clock()
        if wait := self._wrong.wait(report_id, now):
            return _too_many(wait)
        opens = self._intake.is_receipt(ticket, request.headers.get("netral-receipt", ""))
        try:
            received = await self._intake.received(ticket)
        except VaultAway:
            return _away("The store of reports does not answer.")
        if not opens or received is None:
            self._wrong.add(report_id, now)
            return _no_such_report()
        return answer(200, await self._state(received))

    async def _state(self, received: Received) -> StatusAnswer:
        """Routed once a decision stands; a broker that is away cannot tell, so the report counts as received."""
        ticket = received.ticket
        if not await self._intake.is_routed(received.case_id):
            return StatusAnswer(ticket=ticket, received_at=received.at, next=WHILE_RECEIVED)
        matters = await self._intake.matters(received.case_id)
        closed = bool(matters) and all(matter.owner is None for matter in matters)
        return StatusAnswer(
            ticket=ticket,
            state="ROUTED",
            state_label="Diteruskan",
            received_at=received.at,
            progress=news_of(matters),
            closed=closed,
            next=AFTER_CLOSING if closed else AFTER_ROUTING,
        )

    async def openapi(self, _request: Request) -> Response:
        """`GET /openapi.json`."""
        return JSONResponse(api_document(self._base))

    async def healthz(self, _request: Request) -> Response:
        """`GET /healthz`: the process runs; whether it can work is `/readyz`."""
        return answer(200, Health())

    async def _submitted(self, raw: bytes, document: Any, key: str | None) -> Response:
        try:
            accepted = await self._intake.submit(raw, document, key)
        except InvalidDocument as invalid:
            return _invalid(invalid)
        except OtherBody:
            return problem(
                409,
                "Key already used",
                "This Idempotency-Key was used with another report; send a new key, or that report again.",
            )
        except BrokerAway:
            return _away("The report could not be stored durably, so it was not accepted.")
        except VaultAway:
            return _away("The store of reports does not answer, so the report was not accepted.")
        path = f"/v1/reports/{accepted.ticket}"
        body = ReportAnswer(
            ticket=accepted.ticket,
            receipt=accepted.receipt,
            received_at=accepted.received_at,
            status_url=self._base + path,
            next=AFTER_REPORTING,
        )
        return answer(202, body, {"Location": path})


def answer(status: int, model: BaseModel, headers: dict[str, str] | None = None) -> Response:
    """A model as a JSON answer that no cache may keep."""
    kept_by_nobody = {"Cache-Control": "no-store", **(headers or {})}
    return Response(model.model_dump_json(), status, kept_by_nobody, "application/json")


def _refused_by_headers(request: Request) -> Response | None:
    media_type = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if media_type != "application/json":
        detail = "A report is sent as JSON; set the header Content-Type: application/json."
        return with_headers(
            problem(415, "Not the media type of a report", detail), {"Accept": "application/json"}
        )
    if request.headers.get("content-encoding", "identity") != "identity":
        return problem(
            415, "Not the encoding of a report", "Send the body as it is, without Content-Encoding."
        )
    if len(request.headers.getlist("idempotency-key")) > 1:
        return problem(
            400, "Idempotency-Key not usable", "The header Idempotency-Key was sent twice; send it once."
        )
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        detail = (
            "The header Idempotency-Key takes 1 to 255 visible ASCII characters without blanks; a UUID fits."
        )
        return problem(400, "Idempotency-Key not usable", detail)
    return None


def _invalid(invalid: InvalidDocument) -> Response:
    errors = [{"pointer": fault.pointer, "detail": fault.says} for fault in invalid.faults]
    counted = "1 field is" if len(errors) == 1 else f"{len(errors)} fields are"
    detail = f"{counted} not as netral.report.v1 asks; `errors` names each one with its cure."
    return problem(422, "Not a valid report", detail, errors=errors)


def _no_such_report() -> Response:
    detail = (
        "No report opens with this ticket and this receipt; send the receipt in the header Netral-Receipt."
    )
    return problem(404, "No such report", detail)


def _too_many(wait: int) -> Response:
    detail = f"Too many wrong receipts for this ticket; try again in {wait} seconds."
    return with_headers(problem(429, "Too many wrong receipts", detail), {"Retry-After": str(wait)})


def _away(cause: str) -> Response:
    detail = cause + " Send it again with the same Idempotency-Key in 5 seconds."
    return with_headers(problem(503, "Not available right now", detail), RETRY_AFTER)


def with_headers(response: Response, headers: dict[str, str]) -> Response:
    """The response with more headers."""
    response.headers.update(headers)
    return response
