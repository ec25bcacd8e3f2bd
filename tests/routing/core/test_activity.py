"""What is active follows the events: triggered, and not concluded or overtaken."""

from typing import Any

import pytest

from services.routing.core.decide import Judge
from tests.builders import a_report, decided, of

STEPS: dict[str, dict[str, Any]] = {
    "breach": {"event": "STUDY_CONCLUDED", "result": "BREACH", "on": "2024-11-05"},
    "none": {"event": "STUDY_CONCLUDED", "result": "NO_BREACH", "on": "2024-11-05"},
    "repair": {"event": "STUDY_CONCLUDED", "result": "REPAIR_NEEDED", "on": "2024-10-28"},
    "recommended": {"event": "SUPERVISOR_CONCLUDED", "result": "RECOMMENDED", "on": "2024-11-15"},
    "not-proven": {"event": "SUPERVISOR_CONCLUDED", "result": "NOT_PROVEN", "on": "2024-11-15"},
    "returned": {"event": "SUPERVISOR_CONCLUDED", "result": "RETURNED", "on": "2024-11-15"},
    "silent": {"event": "PPK_CONCLUDED", "result": "SILENT", "on": "2024-12-06"},
    "silent-again": {"event": "PPK_CONCLUDED", "result": "SILENT", "on": "2025-01-06"},
    "sanctioned": {"event": "PPK_CONCLUDED", "result": "SANCTIONED", "on": "2025-02-06"},
    "withdrawn": {"event": "WITHDRAWN", "on": "2025-03-01"},
    "no-crime": {"event": "GAKKUMDU_CONCLUDED", "result": "ELEMENTS_NOT_MET", "on": "2024-10-30"},
    "crime": {"event": "GAKKUMDU_CONCLUDED", "result": "ELEMENTS_MET", "on": "2024-10-30"},
}

STORY = [
    ([], {"BAWASLU", "GAKKUMDU"}),
    (["repair"], {"BAWASLU", "GAKKUMDU"}),
    (["no-crime"], {"BAWASLU"}),
    (["crime"], {"BAWASLU", "POLRI"}),
    (["no-crime", "breach"], {"BKN"}),
    (["no-crime", "none"], set()),
    (["no-crime", "breach", "returned"], {"BAWASLU"}),
    (["no-crime", "breach", "not-proven"], set()),
    (["no-crime", "breach", "recommended"], {"PPK"}),
    (["no-crime", "breach", "recommended", "silent"], {"BKN"}),
    (["no-crime", "breach", "recommended", "silent", "silent-again"], {"BKN", "KEMENDAGRI"}),
    (["no-crime", "breach", "recommended", "silent", "sanctioned"], set()),
    (["no-crime", "breach", "withdrawn"], set()),
]


@pytest.mark.parametrize(("steps", "acting"), STORY, ids=lambda value: "+".join(sorted(value)) or "nothing")
def test_who_must_act_after_each_step(judge: Judge, steps: list[str], acting: set[str]) -> None:
    report = a_report(person__post="CAMAT", person__post_kind="STRUKTURAL")
    decision = decided(judge, report, "2025-03-02", [STEPS[name] for name in steps])
    assert {a.agency.value for a in of(decision) if a.active and a.role == "ACTION"} == acting


def test_after_no_breach_only_what_it_starts_is_active(judge: Judge) -> None:
    decision = decided(judge, a_report(), "2024-11-06", [STEPS["breach"], STEPS["none"]])
    assert {a.when for a in of(decision) if a.active} == {"STUDY_CONCLUDED:NO_BREACH"}


def test_an_event_about_another_person_changes_nothing(judge: Judge) -> None:
    report = a_report()
    report["persons"].append({"ref": "p2", "status": "PNS"})
    step = {**STEPS["breach"], "person": "p2"}
    decision = decided(judge, report, "2024-11-06", [step])
    assert {a.agency.value for a in of(decision) if a.active and a.role == "ACTION"} == {"BAWASLU"}


def test_a_doubtful_identity_is_bawaslu_s_to_verify_until_it_is_known(judge: Judge) -> None:
    report = a_report(act__code="PARTY_MEMBERSHIP", act__beneficiary="PARTAI", person__nip=None)
    decision = decided(judge, report, "2024-11-06", [STEPS["breach"]])
    assert {a.agency.value for a in of(decision) if a.active and a.role == "ACTION"} == {"BAWASLU"}


@pytest.mark.parametrize(
    "step", [{"event": "TRANSFERRED", "on": "2024-11-01"}, {"event": "IDENTIFIED", "on": "2024-11-01"}]
)
def test_a_report_at_lapor_keeps_its_owner_while_no_number_is_known(
    judge: Judge, step: dict[str, Any]
) -> None:
    report = a_report(source={"channel": "SBT"}, person__nip=None)
    decision = decided(judge, report, "2024-11-06", [step])
    assert {a.agency.value for a in of(decision) if a.active and a.role == "ACTION"} == {"SP4N_LAPOR"}
