"""Where a file is after its holders moved it: who gets it back, when its clock stands, and what progress ends."""

from datetime import date

import pytest

from services.routing.core.decide import Judge
from tests.routing.core.test_life import Case, at_ppk
from tests.routing.core.test_owners import held_by, matter, silent_once

OWN, OTHER = "kabkota:52.04", "kabkota:52.71"


def at_polri(judge: Judge) -> Case:
    """A file that the police took over from Bawaslu."""
    return handed(Case(judge), "BAWASLU", "POLRI", "prov:52")


def handed(case: Case, by: str, to: str, office: str | None = None) -> Case:
    assert case.say(by, "TRANSFER", to=to, office=office).refused == ""
    assert case.say(to, "ACCEPT", by_office=office).refused == ""
    return case


def test_progress_gives_the_file_to_whom_the_rules_name_and_what_changes_no_state_does_not(
    judge: Judge,
) -> None:
    case = at_polri(judge).say("GAKKUMDU", "GAKKUMDU_CONCLUDED", "ELEMENTS_NOT_MET")
    assert held_by(case) == ("POLRI", "prov:52")
    assert held_by(case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH")) == ("BKN", "pusat")


def test_who_is_identified_is_brought_to_whom_the_rules_name(judge: Judge) -> None:
    case, known = at_polri(judge), {"status": "PNS", "numbered": True, "person": "p1"}
    case.say("BAWASLU", "IDENTIFIED", **known)
    assert case.owner == "POLRI"
    assert case.say("BKN", "IDENTIFIED", **known).owner == "BAWASLU"


def test_after_progress_who_passed_the_file_on_before_may_get_it_again(judge: Judge) -> None:
    case = at_polri(judge).say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    assert case.say("BKN", "TRANSFER", to="BAWASLU", office=OWN).refused == ""


def test_what_nobody_is_named_for_is_returned_to_who_handed_it_over_since_the_last_progress(
    judge: Judge,
) -> None:
    assert held_by(handed(at_polri(judge), "POLRI", "KPU").say("KPU", "RETURN")) == ("POLRI", "prov:52")
    case = at_polri(judge).say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    assert held_by(case.say("BKN", "RETURN")) == ("OPERATOR", None)


def test_a_file_returned_twice_goes_back_to_each_who_returned_it(judge: Judge) -> None:
    case = at_polri(judge).say("POLRI", "RETURN", to="KPU", office="pusat")
    case.say("KPU", "RETURN", to="DKPP", office="pusat")
    seen = [held_by(case.say(by, "DONE")) for by in ("DKPP", "KPU")]
    assert seen == [("KPU", "pusat"), ("POLRI", "prov:52")]
    assert case.state == "ROUTED"


def test_who_wanted_a_file_back_before_progress_does_not_get_it_afterwards(judge: Judge) -> None:
    case = at_polri(judge).say("POLRI", "RETURN", to="KPU", office="pusat")
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH").say("BKN", "RETURN", to="BAWASLU")
    assert case.say("BAWASLU", "DONE").state == "BREACH"
    assert held_by(case) == ("BKN", "pusat")


def test_a_file_that_the_operator_returns_on_from_his_queue_goes_back_to_who_returned_it(
    judge: Judge,
) -> None:
    case = at_ppk(judge).say("PPK", "RETURN", on=date(2024, 11, 18))
    assert held_by(case.say("OPERATOR", "RETURN", to="BKN")) == ("BKN", "pusat")
    assert case.say("BKN", "DONE", on=date(2024, 11, 22)).state == "RECOMMENDED"
    assert held_by(case) == ("PPK", OWN)
    assert [due.last_day for due in matter(case).dues] == [date(2024, 12, 9)]
    refused = at_ppk(judge).say("PPK", "REFUSE", to="BKN").say("OPERATOR", "RETURN", to="BKN")
    assert held_by(refused.say("BKN", "DONE")) == ("PPK", OWN)
    assert refused.state == "RECOMMENDED"


def test_the_clock_of_a_file_returned_twice_stands_from_the_first_return_to_the_last_completion(
    judge: Judge,
) -> None:
    case = at_ppk(judge).say("PPK", "RETURN", to="BKN", on=date(2024, 11, 18))
    case.say("BKN", "RETURN", to="BAWASLU", on=date(2024, 11, 19))
    case.say("BAWASLU", "DONE", on=date(2024, 11, 21)).say("BKN", "DONE", on=date(2024, 11, 22))
    assert [due.last_day for due in matter(case).dues] == [date(2024, 12, 9)]
    # A hand-over afterwards stops nothing: Gakkumdu takes the criminal track alone.
    case.say("PPK", "TRANSFER", to="GAKKUMDU", on=date(2024, 11, 25))
    case.say("GAKKUMDU", "ACCEPT", on=date(2024, 11, 26))
    assert (case.owner, [due.last_day for due in matter(case).dues]) == ("GAKKUMDU", [date(2024, 12, 9)])
    case.say("OPERATOR", "ASSIGN", to="POLRI", on=date(2024, 11, 28))
    assert (case.owner, [due.last_day for due in matter(case).dues]) == ("POLRI", [date(2024, 12, 9)])


def test_an_agency_that_passed_the_file_on_does_not_get_it_by_another_of_its_offices_unless_both_are_named(
    judge: Judge,
) -> None:
    case = handed(at_polri(judge), "POLRI", "KPU")
    assert "passed p1 on already" in case.say("KPU", "TRANSFER", to="POLRI").refused
    assert "passed p1 on already" in case.say("KPU", "TRANSFER", to="POLRI", office="prov:52").refused
    assert case.say("KPU", "TRANSFER", to="POLRI", office="prov:53").refused == ""
    assert handed(at_polri(judge), "POLRI", "KPU").say("KPU", "TRANSFER", to="DKPP", office=OWN).refused == ""
    case = handed(handed(Case(judge), "BAWASLU", "POLRI"), "POLRI", "KPU")
    assert "passed p1 on already" in case.say("KPU", "TRANSFER", to="POLRI", office="prov:52").refused


def test_a_key_of_the_whole_agency_speaks_for_who_has_the_file_and_answers_for_who_was_asked(
    judge: Judge,
) -> None:
    case = at_ppk(judge).say("PPK", "TRANSFER", to="PPK", office=OTHER).say("PPK", "RETURN", to="BKN")
    assert "passed p1 on already" in case.say("BKN", "TRANSFER", to="PPK", office=OWN).refused
    assert case.say("BKN", "TRANSFER", to="PPK", office=OTHER).refused == ""


def test_the_office_that_answers_where_only_its_agency_was_asked_has_the_file(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "TRANSFER", to="POLRI").say("POLRI", "ACCEPT", by_office="prov:52")
    assert held_by(case) == ("POLRI", "prov:52")


def test_who_completes_its_own_part_moves_no_file_that_another_agency_has(judge: Judge) -> None:
    case = handed(silent_once(judge), "BKN", "POLRI", "prov:52")
    assert case.say("PPK", "DONE").refused == ""
    assert held_by(case) == ("POLRI", "prov:52")


def test_a_ppk_once_recused_stays_so_and_a_measure_stays_shown_beside_it(judge: Judge) -> None:
    case = silent_once(judge).say("BKN", "WARN").say("BKN", "RECUSE")
    assert (case.state, "RECUSED" in matter(case).marks) == ("REPRIMANDED", True)
    assert "RECUSED" in matter(case.say("BKN", "BLOCK")).marks


def test_blocked_is_who_was_blocked_until_unblocked_also_if_the_ppk_is_warned_meanwhile(judge: Judge) -> None:
    assert "not blocked" in silent_once(judge).say("BKN", "WARN").say("BKN", "UNBLOCK").refused
    case = silent_once(judge).say("BKN", "BLOCK").say("BKN", "WARN")
    assert case.say("BKN", "UNBLOCK").refused == ""
    assert "not blocked" in case.say("BKN", "UNBLOCK").refused


@pytest.mark.parametrize("old", ["POLRI", "KPU"])
def test_a_successor_has_what_its_predecessor_was_handed_and_nothing_of_anybody_else(
    judge: Judge, old: str
) -> None:
    case = at_polri(judge).say("OPERATOR", "SUCCEED", instead_of=old, to="DKPP")
    assert held_by(case) == ("DKPP" if old == "POLRI" else "POLRI", "prov:52")


def test_a_successor_answers_what_its_predecessor_was_asked(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "TRANSFER", to="POLRI", office="prov:52")
    case.say("OPERATOR", "SUCCEED", instead_of="POLRI", to="DKPP")
    assert "not transferred to POLRI" in case.say("POLRI", "ACCEPT", by_office="prov:52").refused
    assert held_by(case.say("DKPP", "ACCEPT", by_office="prov:52")) == ("DKPP", "prov:52")


def test_a_successor_gets_back_what_its_predecessor_returned_or_handed_over(judge: Judge) -> None:
    case = at_polri(judge).say("POLRI", "RETURN", to="KPU", office="pusat")
    case.say("OPERATOR", "SUCCEED", instead_of="POLRI", to="DKPP")
    assert held_by(case.say("KPU", "DONE")) == ("DKPP", "prov:52")
    case = handed(at_polri(judge), "POLRI", "KPU").say("OPERATOR", "SUCCEED", instead_of="POLRI", to="DKPP")
    assert held_by(case.say("KPU", "RETURN")) == ("DKPP", "prov:52")


def test_where_no_body_is_named_nobody_is_succeeded(judge: Judge) -> None:
    assert held_by(at_polri(judge).say("OPERATOR", "SUCCEED", to="DKPP")) == ("POLRI", "prov:52")
    assert held_by(at_polri(judge).say("OPERATOR", "SUCCEED", instead_of="POLRI")) == ("POLRI", "prov:52")
