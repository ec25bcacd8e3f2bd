"""The API document of the agencies' door."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Role, Stage, ViolationClass
from contracts.decision import Assignment
from contracts.openapi import Answer, Operation, Parameter, document


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class InboxPerson(Model):
    """One reported person (`p1`, `p2`, …) and this agency's parts about it."""

    ref: str
    stage: Stage
    class_: ViolationClass = Field(alias="class")
    assignments: list[Assignment]


class InboxCase(Model):
    """A case that this agency has something to do with or to know of; `opened_at` is UTC."""

    case_id: str
    ticket: str
    region: str
    region_name: str
    opened_at: str
    persons: list[InboxPerson]
    links: dict[str, str]


class InboxAnswer(Model):
    """The newest cases; `next_cursor` is null on the last page."""

    cases: list[InboxCase]
    next_cursor: str | None


class DossierAnswer(InboxCase):
    """The case with the report as sent, without its reporter; null once it was erased."""

    dossier: dict[str, Any] | None


class Health(Model):
    status: str = "ok"


_KEY = "key"
_REFUSED = {
    400: Answer("The query is not one of this door."),
    401: Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"}),
    404: Answer("There is no such case for this key: unknown and not yours answer alike."),
}
_QUERY = (
    Parameter("role", "Only this role.", where="query", schema={"enum": [str(role) for role in Role]}),
    Parameter("office", "Only this office, for example kabkota:52.04.", where="query"),
    Parameter(
        "limit", "Cases on a page.", where="query", schema={"type": "integer", "minimum": 1, "maximum": 200}
    ),
    Parameter("cursor", "The next_cursor of the page before.", where="query"),
)


def api_document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return document(
        "Netral: agencies",
        "1.0.0",
        ["/"],
        [
            Operation(
                "GET",
                "/v1/agencies/{agency}/inbox",
                "The cases of an agency",
                "Newest first. Only cases in which the agency has something to do or to know now.",
                {200: Answer("A page of cases.", InboxAnswer), **_REFUSED},
                parameters=_QUERY,
                security=_KEY,
            ),
            Operation(
                "GET",
                "/v1/agencies/{agency}/cases/{case_id}",
                "The dossier of a case",
                "The agency's parts and the report as it was sent, without the reporter.",
                {
                    200: Answer("The dossier.", DossierAnswer),
                    401: _REFUSED[401],
                    404: _REFUSED[404],
                    503: Answer(
                        "The dossier cannot be opened just now.", headers={"Retry-After": "Seconds to wait."}
                    ),
                },
                security=_KEY,
            ),
            Operation("GET", "/healthz", "Alive", "The process runs.", {200: Answer("It runs.", Health)}),
        ],
        security_schemes={_KEY: {"type": "http", "scheme": "bearer"}},
    )
