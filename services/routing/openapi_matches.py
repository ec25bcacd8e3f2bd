"""The part of the API document that is about near matches."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.matches import Answer as Said
from contracts.matches import MatchAnswer, Reason
from contracts.openapi import Answer, Operation, Parameter

_KEY = "key"
_NO_KEY = Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"})
_AWAY = {"Retry-After": "Seconds to wait."}
_NONE = Answer("There is no such match, or the key is not the operator's.")


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class MatchReason(Model):
    """Why two reports may tell of one event, in both languages; never with a name or a number."""

    code: Reason
    id: str
    en: str


class MatchCase(Model):
    """One of two cases; `persons` counts the reported persons, `opened_at` is UTC."""

    case_id: str
    ticket: str
    region: str
    region_name: str
    opened_at: str
    persons: int


class Match(Model):
    """SAME would link `duplicate` to the case that `goes_on`; `tickets` are the two reports that were compared."""

    match_id: str
    at: str
    waiting_hours: int
    score: float
    reasons: list[MatchReason]
    tickets: list[str]
    duplicate: MatchCase | None
    goes_on: MatchCase | None


class MatchesAnswer(Model):
    """Pairs nobody answered, the oldest first; `waiting` counts all of them."""

    waiting: int
    oldest_since: str | None
    matches: list[Match]
    next_cursor: str | None


class BothReports(Match):
    """A pair with both reports as they were sent, without their reporters; a report is null once it was erased."""

    answer: Said | None
    reports: list[dict[str, Any]]


class AnsweredMatch(Model):
    """The case that was linked, to which, by which of its steps (VOID takes it back); all null for DIFFERENT."""

    match_id: str
    answer: Said
    linked: str | None
    to: str | None
    step: int | None


_ONE = "/v1/operator/matches/{match_id}"
MATCHES = (
    Operation(
        "GET",
        "/v1/operator/matches",
        "Reports that may tell of one event",
        "A person answers each; nothing is merged by itself. A pair leaves the queue once a case of it is closed.",
        {
            200: Answer("A page of pairs.", MatchesAnswer),
            400: Answer("The query is not one of this door."),
            401: _NO_KEY,
            404: Answer("Not the operator's key."),
        },
        parameters=(
            Parameter("limit", "Pairs on a page.", where="query", schema={"type": "integer", "maximum": 200}),
            Parameter("cursor", "The next_cursor of the page before.", where="query"),
        ),
        security=_KEY,
    ),
    Operation(
        "GET",
        _ONE,
        "Both reports side by side",
        "To judge by; without the reporters.",
        {
            200: Answer("The pair.", BothReports),
            401: _NO_KEY,
            404: _NONE,
            503: Answer("The reports cannot be opened just now.", headers=_AWAY),
        },
        security=_KEY,
    ),
    Operation(
        "POST",
        _ONE,
        "Answer a pair",
        "SAME links the case with fewer persons, else the younger one, to the other; VOID of that step takes it back.",
        {
            200: Answer("The answer is on record; also if it was given before.", AnsweredMatch),
            401: _NO_KEY,
            404: _NONE,
            408: Answer("The body did not arrive in time."),
            409: Answer("Impossible now; the reason is in the answer."),
            413: Answer("The body is too large."),
            422: Answer("The body is not an answer; `faults` names every field."),
            503: Answer("The broker does not answer.", headers=_AWAY),
        },
        request=MatchAnswer,
        security=_KEY,
    ),
)
