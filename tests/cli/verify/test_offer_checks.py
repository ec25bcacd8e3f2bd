"""The checker knows for which parts an agency must get an offer, and of what time and route that offer must be."""

from typing import Any

import pytest

from services.cli.verify.offer_checks import check_offers
from services.routing.core.decide import Judge
from tests.cli.verify.planting import Document, a_log, case_in, copied, told
from tests.cli.verify.test_planted import TO_THE_PPK

PPK, PROVINCE = 3, 4
"""Parts of the person, by their places: the one that began with the last step, and a copy of BKN's."""


@pytest.fixture
def log(judge: Judge) -> list[Document]:
    return a_log(judge, "offers", (*TO_THE_PPK, ("BKN", "WARN", None)))


def found(log: list[Document]) -> list[str]:
    return [f"{finding.kind} {finding.says}" for finding in check_offers(case_in(log))]


def offered(log: list[Document], name: str) -> Document:
    return next(e for e in log if e["subject"].startswith("cases.") and f".offered.{name}" in e["subject"])


@pytest.mark.parametrize(
    ("name", "to"),
    [("agency", "POLRI"), ("office", "prov:52"), ("role", "COPY"), ("when", "OPENED"), ("rule", "x.other")],
)
def test_a_part_that_is_another_from_a_step_on_must_be_offered(
    log: list[Document], name: str, to: str
) -> None:
    part = told(log, "step.3")["data"]["persons"][0]["parts"][PPK]
    part[name] = to
    assert found(log) == [f"not-offered {part['agency']} got a part about p1 at step 3 and was not told"]


def test_that_whoever_had_to_act_may_still_read_is_no_news_and_so_is_every_part_of_a_linked_case(
    log: list[Document],
) -> None:
    step = told(log, "step.3")["data"]
    step["persons"][0]["parts"][PPK]["role"] = "INFORMATION"
    assert found(log) == []
    step["persons"][0]["parts"][PROVINCE]["office"] = "prov:51"
    assert found(log) == ["not-offered BKN got a part about p1 at step 3 and was not told"]
    step["said"]["event"] = "LINK"
    assert found(log) == []


def test_what_somebody_who_had_no_part_may_read_from_a_step_on_must_be_offered(log: list[Document]) -> None:
    part = told(log, "step.3")["data"]["persons"][0]["parts"][PROVINCE]
    part |= {"agency": "POLRI", "role": "INFORMATION"}
    assert found(log) == ["not-offered POLRI got a part about p1 at step 3 and was not told"]


def test_an_offer_of_the_opening_need_not_say_that_it_is_of_no_step(log: list[Document]) -> None:
    del offered(log, "BKN.p1")["event"]["data"]["step"]
    assert found(log) == []


@pytest.mark.parametrize(
    ("name", "field", "to", "says"),
    [
        ("BKN.p1", "stage", "NONE", "BKN was told of p1 at step 0 otherwise than it stands there"),
        ("PPK.p1.2", "stage", "NONE", "PPK was told of p1 at step 2 otherwise than it stands there"),
        (
            "BKN.p1",
            "time",
            "2026-11-25T03:00:00Z",
            "BKN was told of p1 at step 0 by an event of another time",
        ),
        (
            "PPK.p1.2",
            "time",
            "2026-11-25T03:00:00Z",
            "PPK was told of p1 at step 2 by an event of another time",
        ),
    ],
)
def test_an_offer_of_another_stage_or_time_than_its_record_is_named(
    log: list[Document], name: str, field: str, to: str, says: str
) -> None:
    event = offered(log, name)["event"]
    (event if field == "time" else event["data"])[field] = to
    assert found(log) == [f"wrong-offer {says}"]


@pytest.mark.parametrize(("field", "to"), [("person", "p9"), ("step", 9)])
def test_an_offer_about_nobody_or_of_no_step_is_in_vain_and_compared_with_nothing(
    log: list[Document], field: str, to: Any
) -> None:
    again = copied(offered(log, "PPK.p1.2"))
    again["event"]["data"][field] = to
    (says,) = found([*log, again])
    assert says.startswith("offered-in-vain PPK was told of ")


def test_the_operator_is_told_of_everybody_about_whom_nobody_must_act(log: list[Document]) -> None:
    for part in told(log, "decided")["data"]["decision"]["persons"][0]["assignments"]:
        part["role"] = "INFORMATION" if part["active"] else part["role"]
    for entry in log:
        if ".offered." in entry["subject"] and entry["event"]["data"].get("step") == 0:
            for part in entry["event"]["data"]["assignments"]:
                part["role"] = "INFORMATION" if part["active"] else part["role"]
    assert found(log) == ["unroutable nobody must act about ['p1'], the operator was told of []"]
    event = {**copied(told(log, "decided")), "data": {"persons": ["p1"]}}
    assert found([*log, {"subject": "cases.x.unroutable", "event": event}]) == []
