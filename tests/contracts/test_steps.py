"""Every fault of a step is said at once, with its field and its cure."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ValidationError

from contracts.door import read_json
from contracts.faults import InvalidDocument, faults_of
from contracts.progress import Progress
from contracts.steps import Move


def faults(model: type[BaseModel], document: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(document)
    return [str(fault) for fault in faults_of(refused.value, model, document)]


def test_a_bad_result_is_said_beside_the_faults_of_other_fields() -> None:
    said = faults(Progress, {"event": "STUDY_CONCLUDED", "result": "SILENT", "on": "2024-13-01", "pesron": 1})
    assert [line.split(":")[0] for line in said] == ["result", "on", "pesron"]
    assert "write one of BREACH, NO_BREACH" in said[0]


def test_a_missing_result_is_said_beside_the_faults_of_other_fields() -> None:
    said = faults(Progress, {"event": "PPK_CONCLUDED", "on": "yesterday"})
    assert [line.split(":")[0] for line in said] == ["result", "on"]
    assert "is missing for PPK_CONCLUDED; write one of SANCTIONED" in said[0]


def test_an_event_that_does_not_exist_is_not_also_blamed_on_its_result() -> None:
    assert len(faults(Progress, {"event": "STUDY", "result": "BREACH", "on": "2024-11-04"})) == 1


def test_a_result_that_no_result_belongs_to_is_refused() -> None:
    (said,) = faults(Progress, {"event": "WITHDRAWN", "result": "BREACH", "on": "2024-11-04"})
    assert said == "result: does not belong to WITHDRAWN; leave it out"


@pytest.mark.parametrize(
    ("move", "fields"),
    [
        ("RETURN", ["reason"]),
        ("REFUSE", ["to", "article"]),
        ("TRANSFER", ["to"]),
        ("ASSIGN", ["to"]),
        ("VOID", ["step"]),
        ("SUCCEED", ["article"]),
    ],
)
def test_a_move_says_everything_it_lacks(move: str, fields: list[str]) -> None:
    assert [line.split(":")[0] for line in faults(Move, {"move": move})] == fields


@pytest.mark.parametrize("move", ["ACCEPT", "DONE"])
def test_a_move_that_needs_nothing_stands_alone(move: str) -> None:
    assert Move.model_validate({"move": move}).move == move


@pytest.mark.parametrize("step", [True, "1", 1.0, 1e400])
def test_a_step_to_take_back_is_a_whole_number(step: object) -> None:
    (said,) = faults(Move, {"move": "VOID", "step": step})
    assert said == "step: is not a whole number; write a whole number"


def test_an_instant_without_its_zone_and_an_id_that_is_none_are_told_what_to_write() -> None:
    class Wish(BaseModel):
        since: AwareDatetime
        endpoint_id: UUID
        replace: bool

    assert faults(Wish, {"since": "2026-11-01", "endpoint_id": "x", "replace": "maybe"}) == [
        "since: is not an instant with its zone; write one like 2026-11-24T10:00:00+07:00",
        "endpoint_id: is not a UUID; write a UUID",
        "replace: is not true or false; write true or false",
    ]


def test_who_sends_no_report_is_not_told_of_one() -> None:
    with pytest.raises(InvalidDocument) as refused:
        read_json(b"{")
    assert refused.value.faults[0].plain.startswith("body: is not JSON")
