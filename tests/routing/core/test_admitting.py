"""Whether a body may say a step now: about whom, of which day, after what, and who it is."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.routing.core.decide import Judge
from tests.builders import TODAY, a_report
from tests.routing.core.test_life import OPENED, Case, at_ppk

NAMED: dict[str, Any] = {"status": "PNS", "employer": "KABUPATEN"}
INCIDENT = date(2024, 10, 22)


def of_two(judge: Judge) -> Case:
    plain = a_report()
    other = {**plain["persons"][0], "ref": "p2"}
    acts = [*plain["acts"], {**plain["acts"][0], "person": "p2"}]
    return Case(judge, persons=[*plain["persons"], other], acts=acts)


def breach(case: Case, on: date, **more: Any) -> str:
    return case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=on, **more).refused


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        (INCIDENT - timedelta(1), "on is before the incident (2024-10-22)"),
        (INCIDENT, ""),
        (TODAY, ""),
        (TODAY + timedelta(1), "on lies in the future"),
    ],
)
def test_what_is_said_happened_between_the_incident_and_today(judge: Judge, on: date, reason: str) -> None:
    refused = breach(Case(judge), on)
    assert refused.startswith(reason) if reason else refused == ""


def test_a_step_follows_the_day_of_the_one_before_about_the_same_person(judge: Judge) -> None:
    case, later = of_two(judge), OPENED + timedelta(5)
    assert breach(case, later, person="p1") == ""
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=later - timedelta(1), person="p1")
    assert case.refused.startswith(f"on is before the last step of p1 ({later})")
    assert breach(case, OPENED, person="p2") == ""


def test_what_moves_nobody_on_may_have_happened_before_or_after_what_does(judge: Judge) -> None:
    case, later = Case(judge), OPENED + timedelta(5)
    assert case.say("BAWASLU", "IDENTIFIED", on=later, **NAMED).refused == ""
    assert breach(case, OPENED + timedelta(1)) == ""
    assert case.say("BAWASLU", "IDENTIFIED", on=OPENED, **NAMED).refused == ""


def test_who_is_identified_is_one_person_and_is_named(judge: Judge) -> None:
    assert of_two(judge).say("BAWASLU", "IDENTIFIED", **NAMED).refused.endswith("write person")
    assert of_two(judge).say("BAWASLU", "IDENTIFIED", person="p2", **NAMED).refused == ""
    assert Case(judge).say("BAWASLU", "IDENTIFIED", **NAMED).refused == ""
    assert Case(judge).say("BAWASLU", "IDENTIFIED", numbered=True).refused == ""
    assert Case(judge).say("BAWASLU", "IDENTIFIED").refused.startswith("IDENTIFIED names nobody")


def test_whom_the_breach_was_brought_to_concludes_and_does_not_withdraw_the_report(judge: Judge) -> None:
    case = Case(judge)
    breach(case, OPENED)
    assert case.say("BKN", "WITHDRAWN").refused == "WITHDRAWN is said by BAWASLU, not by BKN"
    assert case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED").refused == ""


def test_nothing_goes_on_with_a_matter_that_its_holder_ended(judge: Judge) -> None:
    case = Case(
        judge, person__status="KEPALA_DESA", person__employer={"kind": "DESA", "region": "kemendagri:52.04"}
    )
    for matter in case.life().matters:
        for part in [part for part in matter.parts if part.active and part.role == "ACTION"]:
            case.say(str(part.agency), "DONE")
    assert case.state == "DONE"
    assert "where STUDY_CONCLUDED:BREACH is impossible" in breach(case, OPENED)


OWN, OTHER = "kabkota:52.04", "kabkota:52.71"


@pytest.mark.parametrize("move", ["RETURN", "DONE"])
def test_an_office_moves_its_own_files_and_not_those_of_another_office_of_its_agency(
    judge: Judge, move: str
) -> None:
    assert at_ppk(judge).say("PPK", move, by_office=OWN).refused == ""
    assert at_ppk(judge).say("PPK", move).refused == ""
    assert at_ppk(judge).say("PPK", move, by_office=OTHER).refused.startswith("p1 is owned by PPK now")


@pytest.mark.parametrize("answer", ["ACCEPT", "REFUSE"])
def test_the_office_that_was_asked_answers_a_transfer(judge: Judge, answer: str) -> None:
    asked = {"to": "PPK", "office": OTHER}
    for office in (OTHER, None):
        case = at_ppk(judge).say("PPK", "TRANSFER", by_office=OWN, **asked)
        assert case.say("PPK", answer, by_office=office, to="PPK").refused == ""
    case = at_ppk(judge).say("PPK", "TRANSFER", by_office=OWN, **asked)
    assert case.say("PPK", answer, by_office="kabkota:52.72", to="PPK").refused
    assert case.say("BKN", answer, to="PPK").refused


def test_the_operator_moves_any_file_and_completes_only_what_waits_for_it(judge: Judge) -> None:
    assert at_ppk(judge).say("OPERATOR", "DONE").refused.startswith("p1 is owned by PPK now")
    case = at_ppk(judge).say("OPERATOR", "REFUSE", to="BKN")
    assert (case.refused, case.owner) == ("", "OPERATOR")
    assert case.say("OPERATOR", "DONE").refused == ""


def test_who_has_a_part_in_any_of_the_matters_takes_note_of_it(judge: Judge) -> None:
    case = of_two(judge)
    breach(case, OPENED, person="p1")
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", person="p1")
    assert case.say("PPK", "ACKNOWLEDGE", by_office=OWN).refused == ""
    assert case.say("PPK", "ACKNOWLEDGE").refused == ""
    assert case.say("PPK", "ACKNOWLEDGE", by_office=OTHER).refused.startswith("PPK has no part here now")
    assert case.say("PPK", "ACKNOWLEDGE", by_office=OWN, person="p2").refused
    assert case.say("POLRI", "ACKNOWLEDGE").refused


@pytest.mark.parametrize(
    ("by", "event", "more", "reason"),
    [
        ("OPERATOR", "VOID", {}, "step is missing or unknown"),
        ("OPERATOR", "VOID", {"step": 9}, "step is missing or unknown"),
        ("NETRAL", "RECKON", {}, "RECKON is said by Netral itself"),
        ("PPK", "TRANSFER", {"to": "PPK", "office": "kabkota:99.99"}, "office is none"),
        ("BKN", "WARN", {}, "p1 is in state RECOMMENDED"),
        ("OPERATOR", "WARN", {}, "p1 is in state RECOMMENDED"),
        ("POLRI", "WARN", {}, "WARN is said by"),
    ],
)
def test_a_move_that_means_nothing_now_is_refused_with_its_reason(
    judge: Judge, by: str, event: str, more: dict[str, Any], reason: str
) -> None:
    assert at_ppk(judge).say(by, event, **more).refused.startswith(reason)


def test_a_ppk_is_recused_once_and_may_be_warned_afterwards(judge: Judge) -> None:
    case = at_ppk(judge)
    assert case.say("OPERATOR", "RECUSE").refused == ""
    assert case.say("BKN", "RECUSE").refused == "the PPK of p1 is recused already"
    case.say("NETRAL", "PPK_CONCLUDED", "SILENT")
    assert case.say("BKN", "WARN").refused == ""


def test_a_closed_matter_is_moved_no_more(judge: Judge) -> None:
    case = at_ppk(judge).say("PPK", "PPK_CONCLUDED", "SANCTIONED")
    assert case.say("PPK", "RETURN", by_office=OWN).refused.startswith("p1 is closed (SANCTIONED)")
