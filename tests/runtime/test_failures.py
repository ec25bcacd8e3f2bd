"""Which failure means again, after which pause, and which is laid aside for a person: the table, without a broker."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from nats.errors import TimeoutError as BrokerTimeout
from nats.js.errors import APIError
from pydantic import BaseModel, ValidationError

from services.runtime.bus import BrokerAway
from services.runtime.failures import BACK_OFF, LAST_DELIVERY, NeedsAPerson, TryLater, settled


class Parked:
    """The stream of dead letters: `there` lies under every subject already, `trouble` refuses each."""

    def __init__(self, there: SimpleNamespace | None = None, trouble: Exception | None = None) -> None:
        self.letters, self._there, self._trouble = list[tuple[str, bytes, dict[str, str]]](), there, trouble

    async def publish(self, subject: str, body: bytes, headers: dict[str, str]) -> None:
        if self._trouble:
            raise self._trouble
        if self._there and "Nats-Expected-Last-Subject-Sequence" in headers:
            raise APIError(code=400, err_code=10071)
        self.letters.append((subject, body, headers))

    async def get_last_msg(self, *_: Any, **__: Any) -> SimpleNamespace | None:
        return self._there


def a_message(stream: Parked, deliveries: int = 1) -> Any:
    place = SimpleNamespace(stream=7, consumer=3)
    meta = SimpleNamespace(stream="CASES", consumer="teller", sequence=place, num_delivered=deliveries)
    client = SimpleNamespace(jetstream=lambda: stream)
    return SimpleNamespace(subject="cases.x.decided", data=b"body", metadata=meta, _client=client)


class Whole(BaseModel):
    number: int


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Whole(number="none")  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("deliveries", [1, LAST_DELIVERY, 1000])
async def test_a_world_that_is_not_ready_is_waited_for_however_often_it_was_not(deliveries: int) -> None:
    stream = Parked()
    assert await settled(a_message(stream, deliveries), TryLater(7.5)) == 7.5
    pause = await settled(a_message(stream, deliveries), BrokerAway(ambiguous=True))
    assert pause == BACK_OFF[min(deliveries, len(BACK_OFF)) - 1]
    assert stream.letters == []


async def test_an_unknown_trouble_is_tried_again_with_longer_pauses_and_laid_aside_at_the_last_delivery() -> (
    None
):
    stream = Parked()
    pauses = [await settled(a_message(stream, n), KeyError("secret")) for n in range(1, LAST_DELIVERY)]
    assert pauses == [*BACK_OFF, BACK_OFF[-1]]
    assert stream.letters == []
    assert await settled(a_message(stream, LAST_DELIVERY), KeyError("secret")) is None
    ((_, _, headers),) = stream.letters
    assert headers["Netral-Reason"] == "failed 10 times, at last with KeyError"
    assert "secret" not in str(headers)


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (NeedsAPerson("no such case"), "no such case"),
        (NeedsAPerson("x" * 300), "x" * 200),
        (invalid(), "not a message of ours (ValidationError)"),
        (json.JSONDecodeError("no", "", 0), "not a message of ours (JSONDecodeError)"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "no"), "not a message of ours (UnicodeDecodeError)"),
    ],
)
async def test_what_will_never_succeed_is_laid_aside_at_once_with_its_bytes_its_place_and_the_reason(
    problem: Exception, reason: str
) -> None:
    stream = Parked()
    assert await settled(a_message(stream), problem) is None
    ((subject, body, headers),) = stream.letters
    assert (subject, body) == ("parked.CASES.teller.7", b"body")
    assert {
        name: headers[f"Netral-{name}"] for name in ("Reason", "Subject", "Stream", "Consumer", "Seq")
    } == {
        "Reason": reason,
        "Subject": "cases.x.decided",
        "Stream": "CASES",
        "Consumer": "teller",
        "Seq": "7",
    }


@pytest.mark.parametrize("trouble", [BrokerTimeout(), TimeoutError(), APIError(code=503, err_code=1)])
async def test_what_the_broker_does_not_lay_aside_comes_again(trouble: Exception) -> None:
    assert await settled(a_message(Parked(trouble=trouble), 2), NeedsAPerson("no")) == BACK_OFF[1]


@pytest.mark.parametrize(
    ("body", "whence", "laid"),
    [(b"body", "cases.x.decided", 0), (b"other", "cases.x.decided", 1), (b"body", "cases.y.decided", 1)],
)
async def test_a_message_lies_there_once_and_beside_it_another_that_has_its_number_in_a_stream_made_anew(
    body: bytes, whence: str, laid: int
) -> None:
    stream = Parked(there=SimpleNamespace(data=body, headers={"Netral-Subject": whence}))
    assert await settled(a_message(stream), NeedsAPerson("no")) is None
    assert len(stream.letters) == laid
