"""The part of the API document that agencies read by: inbox, dossier, events; and the operator's story of a case."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.agency_events import AnyAgencyEvent
from contracts.codes import Role, Stage, ViolationClass
from contracts.decision import Assignment, Decision
from contracts.openapi import Answer, Operation, Parameter
from contracts.steps import Due
from services.routing.agencies import events_api
from services.routing.core.lifecycle import STATES
from services.routing.inbox import MOST, MOST_PERSONS, ORDERS

KEY = "key"


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
    """`next_cursor` is null on the last page; it belongs to the order it was given in."""

    cases: list[InboxCase]
    next_cursor: str | None


class Said(Model):
    """One step: `by` an agency, OPERATOR or NETRAL; `on` the day it happened, `at` when it was said (UTC)."""

    number: int
    at: str
    by: str
    office: str | None
    event: str
    result: str | None
    person: str | None
    on: str
    to: str | None
    step: int | None
    reason: str | None
    article: str | None


class DossierAnswer(InboxCase):
    """The case with what this body's role may see of the report (docs/agencies.md); `dossier` is null once it was erased.

    `dossier.withheld` names the fields that were there and are not shown. `step` is the number for If-Match, and
    `acknowledged` when this body said that it took note (UTC), null while it did not. `said` are the steps this body said
    itself and those that gave or offered it the file, each with `reason` and `article`: why it was returned or passed on.
    """

    step: int
    acknowledged: str | None
    said: list[Said]
    dossier: dict[str, Any] | None


class ToldEvent(Model):
    """`id` is the place in the stream; `event` is what webhook and stream carry, word for word."""

    id: str
    event: AnyAgencyEvent


class EventsAnswer(Model):
    """Send `last_event_id` back for what comes next; `more` says that there may be more already.

    Where the log was restored or made anew since, everything comes again: drop what you have, by `event.id`.
    """

    events: list[ToldEvent]
    last_event_id: str
    more: bool


class StoryAnswer(Model):
    """Everything that happened; `decision` is null while the report waits to be decided."""

    case_id: str
    report_id: str
    ticket: str
    region: str
    opened_at: str
    state: str
    step: int
    persons: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    total: dict[str, int]
    next_cursor: str | None
    timeline: list[dict[str, Any]]
    decision: Decision | None


REFUSED = {
    400: Answer("The query is not one of this door."),
    401: Answer("No key, or one that is not valid.", headers={"WWW-Authenticate": "Bearer"}),
    404: Answer("There is no such case for this key: unknown and not yours answer alike."),
}
_SAME = Answer("Nothing changed since the answer whose ETag you sent.", headers={"ETag": "Its tag."})
_TAG = {"ETag": "Changes when the answer does; send it as If-None-Match."}
_IF_NONE_MATCH = Parameter("If-None-Match", "The ETag you have; unchanged answers 304.", where="header")
_OFFICE = Parameter("office", "Only this office, for example kabkota:52.04.", where="query")
_QUERY = (
    Parameter("order", "The key of the list.", where="query", schema={"enum": list(ORDERS)}),
    Parameter("role", "Only this role.", where="query", schema={"enum": [str(role) for role in Role]}),
    Parameter(
        "state",
        "Only persons in this state.",
        where="query",
        schema={"enum": [str(state) for state in STATES]},
    ),
    Parameter("region", "Only this place (kemendagri:PP.KK), or this province.", where="query"),
    _OFFICE,
    Parameter(
        "due_before", "A time limit of yours is over before this day (in Jakarta) or instant.", where="query"
    ),
    Parameter("updated_since", "The case went on since this day (in Jakarta) or instant.", where="query"),
    Parameter(
        "limit",
        f"Cases on a page. It ends sooner where they have more than {MOST_PERSONS:,} persons together.",
        where="query",
        schema={"type": "integer", "minimum": 1, "maximum": MOST},
    ),
    Parameter("cursor", "The next_cursor of the page before.", where="query"),
    _IF_NONE_MATCH,
)
_EVENT_QUERY = (
    Parameter(
        "Last-Event-ID", "The last_event_id you were given; without it from the first.", where="header"
    ),
    Parameter("after", "The same, where a header cannot be set.", where="query"),
    Parameter(
        "limit",
        "Events in an answer.",
        where="query",
        schema={"type": "integer", "minimum": 1, "maximum": events_api.MOST},
    ),
    _OFFICE,
    Parameter(
        "Prefer", "`wait=20` waits up to so many seconds (at most 30) for the next event.", where="header"
    ),
)
READING = (
    Operation(
        "GET",
        "/v1/agencies/{agency}/inbox",
        "The cases of an agency",
        "What the agency has to do or to know now: newest first, by the last change, or by the first time limit.",
        {200: Answer("A page of cases.", InboxAnswer, headers=_TAG), 304: _SAME, **REFUSED},
        parameters=_QUERY,
        security=KEY,
    ),
    Operation(
        "GET",
        "/v1/agencies/{agency}/cases/{case_id}",
        "The dossier of a case",
        "The agency's parts, and of the report what its role may see; never the reporter.",
        {
            200: Answer("The dossier.", DossierAnswer, headers=_TAG),
            304: _SAME,
            401: REFUSED[401],
            404: REFUSED[404],
        },
        parameters=(_IF_NONE_MATCH,),
        security=KEY,
    ),
    Operation(
        "GET",
        "/v1/agencies/{agency}/events",
        "What happened, without a gap",
        "The events of the agency in their order, from a place on: the same as webhooks and its stream carry.",
        {200: Answer("Events.", EventsAnswer), **REFUSED},
        parameters=_EVENT_QUERY,
        security=KEY,
    ),
    Operation(
        "GET",
        "/v1/operator/cases/{case_id}",
        "The story of a case",
        "By case id, report id or ticket; the operator's key only. Reports and e-mails come in pages: `total` counts them.",
        {
            200: Answer("The story.", StoryAnswer),
            400: Answer("The cursor is not one of ours."),
            401: REFUSED[401],
            404: REFUSED[404],
        },
        parameters=(
            Parameter(
                "cursor", "The next_cursor of the page before: more reports and e-mails.", where="query"
            ),
        ),
        security=KEY,
    ),
)
