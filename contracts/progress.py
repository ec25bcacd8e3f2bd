"""Progress events: what becomes known about a case after the report (contract.md, part 1)."""

from datetime import date
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from contracts.codes import RESULTS, PostKind, ProgressEvent, Status
from contracts.report import ONE_LINE, PROSE, Day, Employer, Nip, Part, Ref


class Progress(Part):
    """One step; without `person` it is about every person of the report.

    `status`, `nip`, `post`, `post_kind` and `employer` belong to IDENTIFIED and replace what was reported.
    """

    event: ProgressEvent
    person: Ref | None = None
    result: Annotated[
        Annotated[str, Field(strict=True, max_length=40), ONE_LINE] | None, Field(validate_default=True)
    ] = None
    on: Day
    reason: Annotated[str, Field(strict=True, max_length=2000), PROSE] | None = None
    status: Status | None = None
    nip: Nip | None = None
    post: Annotated[str, Field(strict=True, max_length=100), ONE_LINE] | None = None
    post_kind: PostKind | None = None
    employer: Employer | None = None

    @field_validator("result")
    @classmethod
    def _result_fits_event(cls, result: str | None, known: ValidationInfo) -> str | None:
        """Checked as a field, so that it is said beside the faults of the other fields."""
        event = known.data.get("event")
        if event is None:  # the event is faulty itself, which is said already
            return result
        allowed = RESULTS[event]
        if result is None and allowed:
            raise ValueError(f"is missing for {event}; write one of {', '.join(allowed)}")
        if result is not None and result not in allowed:
            cure = f"write one of {', '.join(allowed)}" if allowed else "leave it out"
            raise ValueError(f"does not belong to {event}; {cure}")
        return result

    @property
    def trigger(self) -> str:
        """The event as `when` names it: `EVENT:RESULT`, or the bare `EVENT`."""
        return f"{self.event}:{self.result}" if self.result else str(self.event)

    @property
    def numbered(self) -> bool:
        """Whether the person was identified by a NIP."""
        return self.nip is not None


def about(events: tuple[Progress, ...], ref: str) -> tuple[Progress, ...]:
    """The events about one person, by day; those of one day keep their order."""
    mine = [event for event in events if event.person in (None, ref)]
    return tuple(sorted(mine, key=_day_of))


def _day_of(event: Progress) -> date:
    return event.on
