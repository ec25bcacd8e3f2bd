"""What the checker knows of an address of webhooks by its changes, and what a delivery by itself may be."""

from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.cli.verify.push_rows import Endpoint, check_row

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
ROW = {
    "state": "PENDING",
    "endpoint_state": "ACTIVE",
    "endpoint_id": "an endpoint",
    "ended_at": None,
    "body": "{}",
    "lease_until": None,
    "spent": 0,
    "outcome": None,
}
"""One that stands for nothing wrong of its own."""


def an_endpoint(*states: str, office: str | None = None) -> Endpoint:
    """Changed once a day, first yesterday."""
    endpoint = Endpoint()
    for number, state in enumerate(states, 1):
        time = (NOW + timedelta(days=number - 2)).isoformat()
        data = {"number": number, "state": state, "agency": "PPK", "office": office}
        endpoint.add({"time": time, "data": data})
    return endpoint


def moving(**changes: Any) -> list[str]:
    """What is wrong with a row itself; that nobody registered its address is said of each here."""
    *found, unknown = check_row({**ROW, **changes}, None, None, NOW)
    assert "which was never registered" in unknown
    return found


def delivered(**said: Any) -> list[str]:
    """What is wrong with a delivery whose body says this of an event about three persons."""
    key = "00000000-0000-5000-8000-000000000001"
    told = {"agency": "PPK", "office": None, "case_id": "a case", "persons": ["p1", "p2", "p3"]}
    event = {"id": "an event", "type": "a type", "time": NOW.isoformat(), "data": told}
    row = {
        **ROW,
        "endpoint_id": key,
        "delivery_id": str(uuid5(UUID(key), "delivery/an event")),
        "told_at": NOW,
        "type": "a type",
        **{name: told[name] for name in ("agency", "office", "case_id")},
        "body": dumps({**event, "data": told | said}),
    }
    return list(check_row(row, event, an_endpoint("ACTIVE"), NOW))


def test_a_body_may_leave_out_the_last_persons_and_says_how_many() -> None:
    assert delivered() == delivered(persons=["p1"], omitted=2) == []
    wrong = ({"persons": ["p1"]}, {"persons": ["p1"], "omitted": 1}, {"persons": ["p3"], "omitted": 2})
    for said in wrong:
        assert delivered(**said) == ["has another body than its event"], said


def test_an_agency_hears_all_its_offices_and_an_office_hears_itself() -> None:
    told = {"agency": "PPK", "office": "kabkota:52.04"}
    assert an_endpoint("ACTIVE").hears(told)
    assert an_endpoint("ACTIVE", office="kabkota:52.04").hears(told)
    assert not an_endpoint("ACTIVE", office="kabkota:52.05").hears(told)
    assert not an_endpoint("ACTIVE").hears({**told, "agency": "BKN"})


def test_an_address_is_proved_since_it_was_first_in_use() -> None:
    endpoint = an_endpoint("PENDING", "ACTIVE", "DISABLED", "ACTIVE")
    assert endpoint.proved == endpoint.proved_by(2) == NOW
    assert endpoint.proved_by(1) is None
    assert an_endpoint("PENDING", "DELETED").proved is None


def test_an_address_is_in_the_state_of_its_last_change() -> None:
    assert an_endpoint("PENDING", "ACTIVE", "DELETED").state == "DELETED"


@pytest.mark.parametrize(
    "true",
    [
        pytest.param({}, id="it waits for its next try"),
        pytest.param(
            {"state": "DELIVERED", "ended_at": NOW, "body": ""}, id="it was delivered and forgotten"
        ),
        pytest.param(
            {"state": "SENDING", "lease_until": NOW - timedelta(minutes=4)}, id="a try is under way"
        ),
        pytest.param({"state": "HELD", "endpoint_state": "DISABLED"}, id="its address is not in use"),
        pytest.param({"state": "HELD", "spent": 10}, id="all tries are spent"),
        pytest.param({"state": "HELD", "outcome": "410"}, id="its receiver said that it is gone"),
    ],
)
def test_a_delivery_may_stand(true: dict[str, Any]) -> None:
    assert moving(**true) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"state": "DELIVERED"}, "is DELIVERED, and no end is noted"),
        ({"ended_at": NOW}, "is PENDING, and an end is noted"),
        ({"body": ""}, "is PENDING without a body"),
        ({"state": "SENDING"}, "is SENDING until None"),
        ({"state": "SENDING", "lease_until": NOW - timedelta(minutes=6)}, "nobody looks at it again"),
        ({"state": "HELD", "spent": 9}, "is HELD after 9 tries, and its endpoint is in use"),
        ({"endpoint_state": None}, "is PENDING, and its endpoint is unknown"),
    ],
)
def test_a_delivery_that_stands_still_or_ended_otherwise_than_it_says_is_found(
    wrong: dict[str, Any], words: str
) -> None:
    (found,) = moving(**wrong)
    assert words in found
