"""The AsyncAPI document says what is really sent, hangs together, and never promises less than its last release."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from contracts.agency_events import AgencyDue, AgencyOffered, AgencyStepped
from contracts.asyncapi import asyncapi_document
from contracts.case_events import CaseDue, CaseDueData, DueLevel
from contracts.codes import Agency
from contracts.envelope import Event
from services.routing.core.decide import Judge
from services.routing.core.telling import told_of_due
from tests.contracts.test_schemas import _broken
from tests.golden import ASYNCAPI, SCHEMAS
from tests.packaged import packaged_judge
from tests.routing.core.test_telling import AT, CASE, Told

DOCUMENT = asyncapi_document()


@pytest.fixture(scope="module")
def judge() -> Judge:
    return packaged_judge()


def test_the_committed_document_is_the_one_that_is_served() -> None:
    assert json.loads((SCHEMAS / f"{ASYNCAPI}.json").read_text()) == DOCUMENT, "run `make schemas`"


def test_nothing_that_was_released_is_gone_or_says_less() -> None:
    old = json.loads((SCHEMAS / "released" / f"{ASYNCAPI}.json").read_text())
    assert list(breaks(old, DOCUMENT)) == []


def test_a_break_is_found() -> None:
    old = json.loads(json.dumps(DOCUMENT))
    old["channels"]["gone"] = old["channels"]["due"]
    old["components"]["schemas"]["AgencyDueData"]["properties"]["gone"] = {"type": "string"}
    old["channels"]["offered"] = {**old["channels"]["offered"], "address": "elsewhere"}
    old["components"]["messages"]["AgencyDue"]["name"] = "another"
    assert len(list(breaks(old, DOCUMENT))) == 4


def breaks(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """What a subscriber written for `old` would miss in `new`."""
    for name, channel in old["channels"].items():
        if (found := new["channels"].get(name, {}).get("address")) != channel["address"]:
            yield f"channel {name}: its address is {found}"
    for name, message in old["components"]["messages"].items():
        if (found := new["components"]["messages"].get(name, {}).get("name")) != message["name"]:
            yield f"message {name}: its type is {found}"
    yield from _broken(
        {"$defs": old["components"]["schemas"]}, {"$defs": new["components"]["schemas"]}, "schemas"
    )


def test_every_reference_leads_somewhere_and_every_parameter_is_explained() -> None:
    for reference in _references(DOCUMENT):
        place: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]
    for channel in DOCUMENT["channels"].values():
        words = {word[1:-1] for word in channel["address"].split(".") if word.startswith("{")}
        assert words == set(channel["parameters"])
        assert channel["messages"]
    told = {operation["channel"]["$ref"].rsplit("/", 1)[-1] for operation in DOCUMENT["operations"].values()}
    assert told == set(DOCUMENT["channels"])


def test_real_events_fit_the_payloads_and_the_addresses(judge: Judge) -> None:
    from jsonschema import (
        Draft202012Validator,
    )  # it takes a second, which no other worker of a run need spend

    told = Told(judge)
    events = [*told.opening, *told.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4)), *due()]
    assert {type(event) for event in events} == {AgencyOffered, AgencyStepped, AgencyDue}
    for event in events:
        message = DOCUMENT["components"]["messages"][type(event).__name__]
        body = json.loads(event.model_dump_json(by_alias=True))
        schema = {**message["payload"], "components": DOCUMENT["components"]}
        Draft202012Validator(schema).validate(body)
        assert body["type"] == message["name"]
        kind = body["type"].split(".")[3]
        address, subject = (
            DOCUMENT["channels"][kind]["address"].split("."),
            event.nats_subject.split("."),  # type: ignore[attr-defined]
        )
        assert len(address) == len(subject)
        assert all(a.startswith("{") or a == b for a, b in zip(address, subject, strict=True))


def due() -> list[Event]:
    data = CaseDueData(
        case_id=CASE,
        ticket="NTR-0",
        region="kemendagri:52.04",
        person="p1",
        agency=Agency.PPK,
        office=None,
        level=DueLevel.OVERDUE,
        last_day=AT.date(),
    )
    return told_of_due(CaseDue(id=CASE, source="/t", subject=str(CASE), time=AT, data=data))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(found := part.get("$ref"), str):
            yield found
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
