"""The API document of the agencies' door."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Role, Stage, ViolationClass
from contracts.decision import Assignment, RulebookRef
from contracts.openapi import Answer, Operation, Parameter, document
from contracts.steps import Due
from services.routing.agencies.openapi import DIRECTORY
from services.routing.agencies.openapi_keys import KEYS
from services.routing.openapi_matches import MATCHES
from services.routing.openapi_steps import QUESTIONS, STEPS
from services.routing.openapi_stream import STREAM
from services.routing.openapi_webhooks import WEBHOOKS


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class InboxPerson(Model):
    """One reported person (`p1`, `p2`, …) and this agency's parts about it."""

    ref: str
    stage: Stage
    class_: ViolationClass = Field(alias="class")
    state: str
    label: dict[str, str]
    assignments: list[Assignment]
    dues: list[Due]


class InboxCase(Model):
    """A case that this agency has something to do with or to know of; `opened_at` is UTC.

    `reports` counts the exact copies of the report that reached us, and those of duplicates that were linked; the
    dossier is that of the first. `duplicate_of` names the case that goes on if this one was linked to it.
    """

    case_id: str
    ticket: str
    region: str
    region_name: str
    opened_at: str
    reports: int
    persons: list[InboxPerson]
    links: dict[str, str]
    duplicate_of: dict[str, str] | None


class InboxAnswer(Model):
    """The newest cases; `next_cursor` is null on the last page."""

    cases: list[InboxCase]
    next_cursor: str | None


class DossierAnswer(InboxCase):
    """The case with the report as sent, without its reporter; null once it was erased."""

    dossier: dict[str, Any] | None


class RulebookBody(Model):
    """Every file of a rulebook by name; `book.yaml` is the cover."""

    files: dict[str, str]


class RulebookAnswer(Model):
    """`number` counts the changes of law, from 1; `loaded_at` is UTC."""

    number: int
    rulebook: RulebookRef
    previous: RulebookRef | None
    loaded_at: str


class Health(Model):
    status: str = "ok"


_KEY = "key"
_REFUSED = {
    400: Answer("The query is not one of this door."),
    401: Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"}),
    404: Answer("There is no such case for this key: unknown and not yours answer alike."),
}
_OPERATOR = {401: _REFUSED[401], 404: Answer("Not the operator's key.")}
_AWAY = Answer("The broker does not answer.", headers={"Retry-After": "Seconds to wait."})
_QUERY = (
    Parameter("role", "Only this role.", where="query", schema={"enum": [str(role) for role in Role]}),
    Parameter("office", "Only this office, for example kabkota:52.04.", where="query"),
    Parameter(
        "limit", "Cases on a page.", where="query", schema={"type": "integer", "minimum": 1, "maximum": 200}
    ),
    Parameter("cursor", "The next_cursor of the page before.", where="query"),
)


_AGENCIES = (
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
)
_LAW = (
    Operation(
        "GET",
        "/v1/operator/rulebook",
        "The rulebook in force",
        "Only for the operator's key.",
        {200: Answer("What is the law now.", RulebookAnswer), **_OPERATOR, 503: _AWAY},
        security=_KEY,
    ),
    Operation(
        "PUT",
        "/v1/operator/rulebook",
        "Make a rulebook the law",
        "Checked and proved first; the change is an event. Loading what is in force changes nothing.",
        {
            200: Answer("It is the law now.", RulebookAnswer),
            **_OPERATOR,
            408: Answer("The body did not arrive in time."),
            409: Answer("Another rulebook was loaded at the same moment."),
            413: Answer("The rulebook is too large."),
            422: Answer(
                "It cannot be decided by; `faults` names every one, with file:line:column or the field."
            ),
            503: _AWAY,
        },
        request=RulebookBody,
        security=_KEY,
    ),
)
_HEALTH = Operation("GET", "/healthz", "Alive", "The process runs.", {200: Answer("It runs.", Health)})


def api_document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return document(
        "Netral: agencies",
        "1.0.0",
        ["/"],
        [
            *_AGENCIES,
            *STEPS,
            *QUESTIONS,
            *MATCHES,
            *_LAW,
            *DIRECTORY,
            *KEYS,
            *STREAM,
            *WEBHOOKS,
            _HEALTH,
        ],
        security_schemes={_KEY: {"type": "http", "scheme": "bearer"}},
    )
