"""The part of the API document about the calendars: elections and days off."""

from pydantic import BaseModel, ConfigDict

from contracts.decision import CalendarRef
from contracts.openapi import Answer, Operation
from services.routing.calendar_api import PATH, CalendarBody, TrialBody
from services.routing.openapi_inbox import KEY, REFUSED


class CalendarAnswer(BaseModel):
    """`number` counts the changes, from 1; `workdays` is what time limits name; `loaded_at` is UTC."""

    model_config = ConfigDict(frozen=True)

    number: int
    calendar: CalendarRef
    workdays: CalendarRef
    previous: CalendarRef | None
    loaded_at: str


class TrialAnswer(BaseModel):
    """Limits that would move, by agency (OPERATOR: alarms of his queue), and the cases; null ends the pages."""

    model_config = ConfigDict(frozen=True)

    calendar: CalendarRef
    moved: dict[str, int]
    cases: list[str]
    next_cursor: str | None


_ALL = {
    401: REFUSED[401],
    404: Answer("Not the operator's key."),
    503: Answer("The broker does not answer.", headers={"Retry-After": "Seconds to wait."}),
}
_READS = {
    **_ALL,
    408: Answer("The body did not arrive in time."),
    413: Answer("The files are too large."),
    422: Answer("It cannot be counted by; `faults` names every one, with file:line:column or the field."),
}
CALENDARS = (
    Operation(
        "GET",
        PATH,
        "The calendars in force",
        "Only for the operator's key.",
        {200: Answer("What is in force now.", CalendarAnswer), **_ALL},
        security=KEY,
    ),
    Operation(
        "PUT",
        PATH,
        "Put calendars in force",
        "Checked first; the change is an event. Limits that run move by a step in their case, soon after. "
        "Loading what is in force changes nothing.",
        {
            200: Answer("They are in force now.", CalendarAnswer),
            **_READS,
            409: Answer("Other calendars were loaded at the same moment."),
        },
        request=CalendarBody,
        security=KEY,
    ),
    Operation(
        "POST",
        f"{PATH}/trial",
        "What calendars would move",
        "One page of open matters; changes nothing. Ask again with its `next_cursor` until there is none.",
        {
            200: Answer("What moves in this page.", TrialAnswer),
            **_READS,
            400: Answer("The cursor is none of ours."),
        },
        request=TrialBody,
        security=KEY,
    ),
)
