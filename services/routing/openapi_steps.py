"""The part of the API document that is about going on with a case and asking about all of them."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.openapi import Answer, Operation, Parameter
from contracts.progress import Progress
from contracts.steps import Alarm, Due, Move, Owner
from services.routing.succession_api import SuccessionBody

_KEY = "key"
_AWAY = Answer("The broker does not answer.", headers={"Retry-After": "Seconds to wait."})
_NO_KEY = Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"})
_REFUSED = {
    400: Answer("The query is not one of this door."),
    401: _NO_KEY,
    404: Answer("Not the operator's key."),
}
_MATCH = Parameter("If-Match", "The number of the step you saw last; a stale one is refused.", where="header")


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class MatterNow(Model):
    """A person's state with its label (`id`, `en`), who must act next (null: closed), and the limits that run.

    `marks` (`code`, `id`, `en`) are what is known beside the state; `queue` says why it
    stands in the operator's queue, and `alarm` until when it may.
    """

    ref: str
    state: str
    label: dict[str, str]
    owner: Owner | None
    dues: list[Due]
    marks: list[dict[str, str]]
    queue: dict[str, str] | None
    questions: list[str]
    alarm: Alarm | None


class StepAnswer(Model):
    """The step as it stands in the log; `at` is UTC. `ETag` holds its number."""

    case_id: str
    ticket: str
    step: int
    at: str
    persons: list[MatterNow]


class WaitingAnswer(Model):
    """Open matters, the longest waiting first."""

    matters: list[dict[str, Any]]
    next_cursor: str | None


class StatsAnswer(Model):
    """Persons and cases. A count from one to four is `<5`; a larger one that would give it away with a sum is `hidden`.

    `ageing`: what each body holds and `stages` what waits with each body in each state: since when the first waits, how
    many by how much of their limit is over (`limit`), and how many by how long they wait (`waits`).
    """

    by: list[str]
    counts: list[dict[str, Any]]
    ageing: list[dict[str, Any]]
    stages: list[dict[str, Any]]


class SuccessionAnswer(Model):
    """Each case with its `outcome` (`moves`, `moved`, `stays`, `refused`); open persons by owner and state."""

    cases: list[dict[str, Any]]
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    next_cursor: str | None


def _step(root: str, name: str, body: type[BaseModel], summary: str, description: str) -> Operation:
    return Operation(
        "POST",
        f"{root}/cases/{{case_id}}/{name}",
        summary,
        description,
        {
            200: Answer("The step, also if the same was said before.", StepAnswer),
            400: Answer("If-Match is not a number."),
            401: _NO_KEY,
            404: Answer("There is no such case for this key: unknown and not yours answer alike."),
            408: Answer("The body did not arrive in time."),
            409: Answer(
                "Impossible now; the reason, the number of the last step and the current state are in the answer."
            ),
            413: Answer("The body is too large."),
            422: Answer("The body is not a step; `faults` names every field."),
            503: _AWAY,
        },
        request=body,
        parameters=(_MATCH,),
        security=_KEY,
    )


STEPS = tuple(
    _step(root, name, body, summary, description)
    for root in ("/v1/agencies/{agency}", "/v1/operator")
    for name, body, summary, description in (
        (
            "progress",
            Progress,
            "Say what became known",
            "Decides again: what waits for it starts, what it ends stops.",
        ),
        (
            "moves",
            Move,
            "Hand a case on",
            "Return, refuse, transfer, accept, done, void; assign and succeed by the operator.",
        ),
    )
)
QUESTIONS = (
    Operation(
        "POST",
        "/v1/operator/succession",
        "Decide open cases again after competence moved",
        "One page of the open cases that name the old body. A trial, unless `apply` is true; running it again changes "
        "nothing.",
        {
            200: Answer("What moves, or was moved.", SuccessionAnswer),
            400: Answer("The cursor is not one of ours."),
            401: _NO_KEY,
            404: Answer("Not the operator's key."),
            408: Answer("The body did not arrive in time."),
            413: Answer("The body is too large."),
            422: Answer("The body is not an act; `faults` names every field."),
            503: _AWAY,
        },
        request=SuccessionBody,
        security=_KEY,
    ),
    Operation(
        "GET",
        "/v1/operator/cases",
        "Who waits where",
        "Open matters, by owner or state; `orphans=true` shows those without an owner, of which there must be none.",
        {200: Answer("A page of matters.", WaitingAnswer), **_REFUSED},
        parameters=(
            Parameter("owner", "An agency, or OPERATOR.", where="query"),
            Parameter("state", "A state of the life-cycle table.", where="query"),
            Parameter("orphans", "`true`: only matters without an owner.", where="query"),
            Parameter("over_limit", "`true`: only matters with a limit that is over.", where="query"),
            Parameter(
                "limit",
                "Matters on a page.",
                where="query",
                schema={"type": "integer", "maximum": 200},
            ),
            Parameter("cursor", "The next_cursor of the page before.", where="query"),
        ),
        security=_KEY,
    ),
    Operation(
        "GET",
        "/v1/operator/stats",
        "How many of each",
        "Counts by some of owner, state, stage, class and province.",
        {200: Answer("The counts.", StatsAnswer), **_REFUSED},
        parameters=(
            Parameter("by", "Dimensions, separated by commas. [default: owner,state]", where="query"),
        ),
        security=_KEY,
    ),
)
