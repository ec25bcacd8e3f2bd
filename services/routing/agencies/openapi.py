"""The part of the API document that is about the directory of agencies."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.codes import Agency
from contracts.directory import Term
from contracts.openapi import Answer, Operation, Parameter
from services.routing.agencies.directory_api import ROOT, DirectoryFile, Retirement

KEY = "key"
NO_KEY = Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"})
NOT_THIS_KEY = Answer("The key has not the scope this needs.", headers={"WWW-Authenticate": "What it needs."})
AWAY = Answer(
    "The broker does not answer, or Netral is starting.", headers={"Retry-After": "Seconds to wait."}
)
OPERATOR = {401: NO_KEY, 403: NOT_THIS_KEY, 404: Answer("Not the operator's key, or nothing of that name.")}
BODY = {
    408: Answer("The body did not arrive in time."),
    413: Answer("The body is too large."),
    422: Answer("The body is not what this door takes; `faults` names every fault."),
}
OVERTAKEN = Answer("Somebody changed it at the same moment, or it cannot be so; the reason is in the answer.")


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class OfficeAnswer(Model):
    """An office with its whole history; `office` is `*` for the body as a whole."""

    agency: Agency
    office: str
    version: int
    terms: list[Term]


class DirectoryAnswer(Model):
    offices: list[OfficeAnswer]


class ChangesAnswer(Model):
    """What a file changes: `what` is ADDED or CHANGED, `fields` are those that differ."""

    dry_run: bool
    changes: list[dict[str, Any]]


_OFFICE = f"{ROOT}/{{body}}/offices/{{office}}"
DIRECTORY = (
    Operation(
        "GET",
        ROOT,
        "The directory of agencies",
        "Every office with its dates; the operator's key only.",
        {
            200: Answer("The offices.", DirectoryAnswer),
            400: Answer("The query is not one of this door."),
            **OPERATOR,
            503: AWAY,
        },
        parameters=(
            Parameter("agency", "Only this body.", where="query", schema={"enum": [str(a) for a in Agency]}),
            Parameter(
                "on",
                "Only what exists on this day.",
                where="query",
                schema={"type": "string", "format": "date"},
            ),
        ),
        security=KEY,
    ),
    Operation(
        "PUT",
        ROOT,
        "Load a list of offices",
        "Offices the file does not name stay as they are; each change is an event.",
        {
            200: Answer("What changed, or would.", ChangesAnswer),
            **OPERATOR,
            409: OVERTAKEN,
            **BODY,
            503: AWAY,
        },
        request=DirectoryFile,
        security=KEY,
    ),
    Operation(
        "GET",
        _OFFICE,
        "An office",
        "With its whole history; the operator's key only.",
        {200: Answer("The office.", OfficeAnswer), **OPERATOR, 503: AWAY},
        security=KEY,
    ),
    Operation(
        "POST",
        f"{_OFFICE}/retirement",
        "End an office",
        "It stays in the directory with its last day and its successor.",
        {200: Answer("The office now.", OfficeAnswer), **OPERATOR, 409: OVERTAKEN, **BODY, 503: AWAY},
        request=Retirement,
        security=KEY,
    ),
)
