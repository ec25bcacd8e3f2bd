"""Checks each delivery by itself and against what it delivers: to whom it is told, word for word, and that it goes on."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.cli.verify.digests import digest
from services.cli.verify.model_rows import instant

COLUMNS = (
    "delivery_id, endpoint_id, agency, office, case_id, event_id, type, told_at, state, spent, lease_until, outcome,"
    " ended_at, body, endpoint_state"
)
"""Of a delivery, and the state of its endpoint."""
ENDED = "DELIVERED"
_STATES = {"PENDING", "SENDING", "HELD", ENDED}
_SCHEDULE = 10
"""Tries by itself; then somebody must say what becomes of it."""
_LEASE = timedelta(minutes=5)
"""Five times as long as a try may take."""


class Endpoint:
    """An address of webhooks as the stream tells of it: every change by its number."""

    def __init__(self) -> None:
        self.changes: dict[int, dict[str, Any]] = {}

    def add(self, event: dict[str, Any]) -> None:
        self.changes[event["data"]["number"]] = event

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = self.changes[max(self.changes)]
        return found

    @property
    def state(self) -> str:
        return str(self.last["data"]["state"])

    @property
    def whole(self) -> bool:
        """Whether the stream still has its first change."""
        return 1 in self.changes

    @property
    def changed(self) -> datetime:
        """When it was changed last."""
        return datetime.fromisoformat(self.last["time"])

    @property
    def proved(self) -> datetime | None:
        """When it was first in use; None for one that never was."""
        return self.proved_by(max(self.changes))

    def proved_by(self, number: int) -> datetime | None:
        """`proved`, as it was known after that change."""
        used = [
            n for n, change in self.changes.items() if n <= number and change["data"]["state"] == "ACTIVE"
        ]
        return datetime.fromisoformat(self.changes[min(used)]["time"]) if used else None

    def hears(self, told: dict[str, Any]) -> bool:
        """Whether its holder is who was told: an agency hears all its offices, an office itself."""
        mine = self.last["data"]
        return mine["agency"] == told["agency"] and mine["office"] in (None, told["office"])


def check_row(
    row: dict[str, Any], event: dict[str, Any] | None, endpoint: Endpoint | None, now: datetime
) -> Iterator[str]:
    """`row` has the COLUMNS, `event` is what the stream TOLD has under its id. Raises what BROKEN names."""
    yield from _moving(row, now)
    if endpoint is None:
        yield f"is for the endpoint {row['endpoint_id']}, which was never registered"
        return
    if event is None:
        yield f"is of the event {row['event_id']}, which nobody was told"
        return
    data = event["data"]
    if not endpoint.hears(data):
        yield f"is of an event that {data['agency']} {data['office'] or '-'} was told, not the holder of its endpoint"
    if row["delivery_id"] != str(uuid5(UUID(row["endpoint_id"]), f"delivery/{event['id']}")):
        yield "has another id than that event has for that endpoint"
    holder = endpoint.last["data"]
    said = {
        "case_id": data["case_id"],
        "type": event["type"],
        "agency": holder["agency"],
        "office": holder["office"],
    }
    yield from (f"says another {name} than its event" for name, value in said.items() if row[name] != value)
    if instant(row["told_at"]) != datetime.fromisoformat(event["time"]):
        yield "says another time than its event"
    if row["body"] and not _is_of(json.loads(row["body"]), event):
        yield "has another body than its event"


def _moving(row: dict[str, Any], now: datetime) -> Iterator[str]:
    state, used = row["state"], row["endpoint_state"]
    if state not in _STATES:
        yield f"is in the state {state}, which there is not"
    if (row["ended_at"] is not None) != (state == ENDED):
        yield f"is {state}, and {'no' if row['ended_at'] is None else 'an'} end is noted"
    if not row["body"] and state != ENDED:
        yield f"is {state} without a body"
    lease = instant(row["lease_until"])
    if state == "SENDING" and (lease is None or lease + _LEASE < now):
        yield f"is SENDING until {row['lease_until']}, and nobody looks at it again"
    if state == "HELD" and used == "ACTIVE" and row["spent"] < _SCHEDULE and row["outcome"] != "410":
        yield f"is HELD after {row['spent']} tries, and its endpoint is in use"
    if state == "PENDING" and used != "ACTIVE":
        yield f"is PENDING, and its endpoint is {used or 'unknown'}"


def _is_of(body: dict[str, Any], event: dict[str, Any]) -> bool:
    """Word for word, but for the last persons of a very large case."""
    left_out = body["data"].pop("omitted", 0) if "persons" in event["data"] else 0
    if left_out:
        persons = event["data"]["persons"]
        event = {**event, "data": {**event["data"], "persons": persons[: len(persons) - left_out]}}
    return digest(body) == digest(event)
