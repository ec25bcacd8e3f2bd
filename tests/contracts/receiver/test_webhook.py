"""The kit's receiver: what is ours is handled once, what is not is a 4xx, our own trouble a 503, and never a 500."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.receiver.asgi import application
from contracts.receiver.seen import Seen
from contracts.receiver.signing import PrivateKey, signed
from contracts.receiver.webhook import MAX_BYTES, Answer, Receiver, Told

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
KEY = PrivateKey(bytes(range(32)))
EVENT = {
    "specversion": "1.0",
    "id": "00000000-0000-5000-8000-000000000001",
    "source": "netral/routing",
    "subject": "00000000-0000-5000-8000-000000000002",
    "time": "2026-11-24T03:00:00Z",
    "type": "id.netral.agency.due.v1",
    "data": {
        "case_id": "00000000-0000-5000-8000-000000000002",
        "ticket": "NTR-0000-0000-0000-0000",
        "region": "kemendagri:52.04",
        "agency": "PPK",
        "office": None,
        "link": "/v1/agencies/PPK/cases/00000000-0000-5000-8000-000000000002",
        "person": "p1",
        "level": "REMINDER",
        "last_day": "2026-11-30",
    },
}


class Desk:
    """A receiver, what it handled, and a handler that can be told to fail."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.handled: list[Told] = []
        self.fails = False
        self.receiver = Receiver([str(KEY.public)], Seen(path), self._handle)

    def _handle(self, event: Told) -> None:
        if self.fails:
            raise OSError("the database is away")
        self.handled.append(event)

    def get(self, document: Any, *, id_: str = "m1", at: datetime = NOW, now: datetime = NOW) -> Answer:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.receiver.answer(signed([KEY], id_, at, body), body, now)


def test_an_event_is_handled_once_however_often_it_comes(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "seen.db")
    assert [desk.get(EVENT).document["result"] for _ in range(3)] == ["handled", *["handled before"] * 2]
    restarted = Desk(tmp_path / "seen.db")
    assert restarted.get(EVENT).document == {"result": "handled before"}
    assert [len(desk.handled), len(restarted.handled)] == [1, 0]


def test_what_could_not_be_handled_comes_again_and_is_handled_then() -> None:
    desk = Desk()
    desk.fails = True
    assert desk.get(EVENT).status == 503
    desk.fails = False
    assert desk.get(EVENT) == Answer(200, {"result": "handled"})


def test_the_challenge_is_answered_and_news_of_another_time_is_passed_over() -> None:
    desk = Desk()
    challenge = {"type": "id.netral.webhook.challenge.v1", "data": {"challenge": "abc"}}
    assert desk.get(challenge) == Answer(200, {"challenge": "abc"})
    for kind in ("id.netral.webhook.ping.v1", "id.netral.agency.praised.v9"):
        assert desk.get({**EVENT, "type": kind}).status == 200
    more = {**EVENT, "new": 1, "data": {**EVENT["data"], "new": {"deep": []}}}  # type: ignore[dict-item]
    assert desk.get(more).document == {"result": "handled"}
    assert len(desk.handled) == 1


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_signature_of_another_time_is_refused(late: timedelta) -> None:
    assert Desk().get(EVENT, now=NOW + late).status == 401


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b"[" * 60_000, 400),
        ({**EVENT, "data": {}}, 422),
        ({"type": "id.netral.webhook.challenge.v1", "data": "no"}, 200),
        (b" " * (MAX_BYTES + 1), 413),
    ],
    ids=["broken", "list", "bytes", "deep", "empty", "odd challenge", "large"],
)
def test_what_is_signed_but_wrong_has_its_own_answer(document: Any, status: int) -> None:
    assert Desk().get(document).status == status


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=5), st.binary(max_size=60))
def test_nothing_a_stranger_sends_is_a_500(headers: dict[str, str], body: bytes) -> None:
    assert Desk().receiver.answer(headers, body, NOW).status == 401


async def test_the_asgi_application_answers_over_http_and_keeps_its_turn_with_threads(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "seen.db")
    app: Callable[..., Any] = application(desk.receiver, lambda: NOW)
    body = json.dumps(EVENT).encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
        sent = [http.post("/hook", content=body, headers=signed([KEY], "m1", NOW, body)) for _ in range(20)]
        answers = await asyncio.gather(*sent)
        assert {answer.status_code for answer in answers} == {200}
        assert len(desk.handled) == 1
        assert (await http.post("/hook", content=b"x" * (MAX_BYTES * 3))).status_code == 413
        assert (await http.get("/hook")).status_code == 405
