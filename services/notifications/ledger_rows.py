"""What the rows of the ledger are to the rest of the service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifications.core.notices import Notice, State
from services.notifications.core.retries import Tried


@dataclass(frozen=True)
class Claim:
    """A notice that is ours to send now; `earlier` are the Message-IDs of its thread that were sent before.

    `due_at` is when it should have left: after the quiet hours or with a digest later than it was recorded.
    """

    notice: Notice
    message_id: str
    root: str
    tried: Tried
    due_at: datetime
    traceparent: str | None
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ending:
    """A notice that ended and that nobody was told about yet; `turn` counts its endings from 0."""

    notice: Notice
    state: State
    attempts: int
    at: datetime
    turn: int


def claim_of(row: Any, earlier: tuple[str, ...] = ()) -> Claim:
    return Claim(
        notice=notice_of(row),
        message_id=row["message_id"],
        root=row["root"],
        tried=Tried(
            UUID(row["notice_id"]), row["attempts"], row["doubts"], row["created_at"], row["deferrals"]
        ),
        due_at=row["due_at"] or row["created_at"],  # an earlier release recorded no due_at
        traceparent=row["traceparent"],
        earlier=earlier,
    )


def ending_of(row: Any) -> Ending:
    return Ending(notice_of(row), State(row["state"]), row["attempts"], row["ended_at"], row["turn"])


def notice_of(row: Any) -> Notice:
    return Notice.model_validate({name: row[name] for name in Notice.model_fields})
