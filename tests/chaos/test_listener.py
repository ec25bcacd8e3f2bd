"""What an agency must be called for in a storm is counted, and each way to be called wrongly is found."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.receiver.signing import HmacKey, signed
from deploy.local.receivers import Heard
from services.runtime.reading import Stored
from tests.chaos.acts import Operator
from tests.chaos.listener import AGENCY, PATH, Listener

KEY = HmacKey(bytes(range(32)))
MOMENT = datetime(2026, 11, 24, 3, tzinfo=UTC)


def told(number: int, agency: str = AGENCY, at: datetime = MOMENT) -> Stored:
    event = {"id": str(UUID(int=number)), "time": at.isoformat(), "data": {"agency": agency}}
    return Stored(number, f"told.{agency}.any.x.offered.{number}", json.dumps(event).encode(), {})


def called(stored: Stored, message_id: str = "") -> Heard:
    body = stored.body
    return Heard(PATH, signed([KEY], message_id or f"m{stored.seq}", MOMENT, body), body)


def broken(heard: list[Heard], stream: list[Stored]) -> list[str]:
    listener = Listener(Operator("http://nowhere", "none"), key=str(KEY), since=MOMENT)
    listener.receivers.heard = heard
    return list(listener.misheard(stream))


def test_each_lie_about_what_an_agency_was_called_for_is_found() -> None:
    first, second = told(1), told(2)
    before, theirs = told(3, at=MOMENT - timedelta(days=1)), told(4, agency="POLRI")
    stream, true = [first, second, before, theirs], [called(first), called(second)]
    assert broken(true, stream) == []
    assert broken([*true, called(second), called(before)], stream) == [], (
        "again under its id, or more than was due"
    )
    lies = {
        "was not called for 1 of 2 events": true[:1],
        "called for 1 events that it was not told": [*true, called(theirs)],
        "under more than one webhook-id": [*true, called(second, "another")],
        "must refuse": [*true, replace(true[0], body=true[0].body + b" ")],
    }
    for says, heard in lies.items():
        assert any(says in found for found in broken(heard, stream)), says
