"""The API document of the public door. Its example report is one that the door accepts as it stands."""

from functools import cache
from typing import Any

from contracts.openapi import Answer, Operation, Parameter, document
from contracts.report import Report
from services.intake.answers import AFTER_REPORTING, WHILE_RECEIVED, Health, ReportAnswer, StatusAnswer

EXAMPLE_REPORT: dict[str, Any] = {
    "schema": "netral.report.v1",
    "election": {"kind": "PILKADA", "year": 2024, "office": "BUPATI"},
    "incident": {
        "occurred_on": "2024-10-22",
        "known_on": "2024-10-23",
        "region": "kemendagri:52.04",
        "place": "Lapangan desa",
        "online": False,
    },
    "persons": [
        {
            "ref": "p1",
            "status": "PNS",
            "post": "GURU",
            "post_kind": "FUNGSIONAL",
            "employer": {"kind": "KABUPATEN", "region": "kemendagri:52.04", "name": "Dinas Pendidikan"},
        }
    ],
    "acts": [{"person": "p1", "code": "PHOTO_WITH_CANDIDATE", "beneficiary": "CALON"}],
    "narrative": "Seorang guru berfoto bersama calon bupati dengan simbol dukungan, lalu membagikan fotonya.",
    "evidence": [{"sha256": "0" * 64, "media_type": "image/jpeg", "size": 48213, "name": "foto.jpg"}],
    "reporter": {"kind": "ANONYMOUS"},
    "source": {"channel": "API"},
}
_TICKET = "NTR-3QZ8-K0WJ-7M2T-X9AD"
_RECEIPT = "7H2K-9QXN-04TB-VW3E-5MZC-8RYA"
_RECEIVED = "2024-10-25T16:04:05.123456+08:00"

_KEY = Parameter(
    "Idempotency-Key",
    "1 to 255 visible ASCII characters of your choice, one for each report. Sending the same report again "
    "with the same key gives the same answer and no second report. Without it every request is a new report.",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    example="laporan-2024-10-25-001",
)
_RECEIPT_HEADER = Parameter(
    "Netral-Receipt",
    "The secret receipt from the answer to the report. It is never taken from the URL.",
    required=True,
    example=_RECEIPT,
)
_RETRY = {"Retry-After": "Seconds to wait before the next try."}
_INVALID = {
    "type": "about:blank",
    "title": "Not a valid report",
    "status": 422,
    "detail": "1 field is not as netral.report.v1 asks; `errors` names each one with its cure.",
    "errors": [{"pointer": "/persons/0/status", "detail": "is not a status; did you mean 'PNS'?"}],
}


@cache  # whoever asks for it, without a key, must not have it made anew each time
def api_document(base: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a door reached at `base`."""
    return document(
        "Netral: intake",
        "1.0.0",
        [base],
        [_submit(base), _status(), *_health()],
        description="Takes reports of civil servants who break election neutrality, and tells their state.",
    )


def _submit(base: str) -> Operation:
    accepted = {
        "ticket": _TICKET,
        "receipt": _RECEIPT,
        "received_at": _RECEIVED,
        "status_url": f"{base}/v1/reports/{_TICKET}",
        "next": AFTER_REPORTING.model_dump(),
    }
    location = {"Location": "The status of the report, to be read with its receipt."}
    return Operation(
        "POST",
        "/v1/reports",
        "Send a report",
        "The answer 202 comes only after the report is stored durably; a refusal names every fault.",
        {
            202: Answer("The report is stored and will be routed.", ReportAnswer, accepted, location),
            400: Answer("The body is not JSON, or the Idempotency-Key is not usable."),
            409: Answer("This Idempotency-Key was used with another report."),
            413: Answer("The report is larger than 1 MiB."),
            415: Answer("The body is not declared as application/json."),
            422: Answer("The report has faults; `errors` names all of them.", example=_INVALID),
            503: Answer("The report cannot be stored right now; nothing was kept of it.", headers=_RETRY),
        },
        request=Report,
        example=EXAMPLE_REPORT,
        parameters=(_KEY,),
    )


def _status() -> Operation:
    status = {
        "ticket": _TICKET,
        "state": "RECEIVED",
        "state_label": "Diterima",
        "received_at": _RECEIVED,
        "progress": [],
        "closed": False,
        "next": WHILE_RECEIVED.model_dump(),
    }
    return Operation(
        "GET",
        "/v1/reports/{ticket}",
        "See the status of a report",
        "An unknown ticket and a wrong receipt get the same answer.",
        {
            200: Answer("The status.", StatusAnswer, status),
            404: Answer("No report opens with this ticket and this receipt."),
            429: Answer("Too many wrong receipts for this ticket.", headers=_RETRY),
            503: Answer("The status cannot be read right now.", headers=_RETRY),
        },
        parameters=(Parameter("ticket", "The ticket.", "path", example=_TICKET), _RECEIPT_HEADER),
    )


def _health() -> tuple[Operation, Operation]:
    well = Answer("Well.", Health, {"status": "ok"})
    return (
        Operation("GET", "/healthz", "Is the process alive?", "Always 200 while it runs.", {200: well}),
        Operation(
            "GET",
            "/readyz",
            "Can it take reports?",
            "Checks the vault and the broker. A vault that takes nothing is a warning: what agencies read goes on.",
            {200: well, 503: Answer("It cannot; `reasons` says why.", headers=_RETRY)},
        ),
    )
