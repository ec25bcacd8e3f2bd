"""Who must act next where it is not plain: silent, recused and blocked PPKs, refused hand-overs, queues, pauses."""

from datetime import UTC, date, datetime

import pytest

from contracts.steps import Matter
from services.routing.core.decide import Judge
from services.routing.core.lifecycle import MARKS, QUEUES, STATES
from services.routing.core.parts import is_silence
from tests.builders import a_report
from tests.golden import STEPS, steps_page
from tests.routing.core.test_life import Case, at_ppk

SILENT = ("PPK_CONCLUDED", "SILENT")


def matter(case: Case) -> Matter:
    return case.life().matters[0]


def held_by(case: Case) -> tuple[str, str | None] | None:
    owner = matter(case).owner
    return owner and (str(owner.agency), owner.office)


def silent_once(judge: Judge) -> Case:
    return at_ppk(judge).say("NETRAL", *SILENT, on=date(2024, 12, 3))


def test_a_silent_ppk_still_owes_the_sanction_and_its_second_silence_has_a_limit(judge: Judge) -> None:
    case = silent_once(judge)
    (due,) = [due for due in matter(case).dues if due.agency == "PPK"]
    assert (due.since, due.last_day) == (date(2024, 12, 3), date(2024, 12, 23))
    assert is_silence(matter(case), "PPK", due.last_day)
    assert case.owner == "BKN"
    assert case.say("PPK", "PPK_CONCLUDED", "SANCTIONED", on=date(2024, 12, 10)).refused == ""
    assert (case.state, case.owner) == ("SANCTIONED", None)


def test_after_the_second_silence_the_ministry_leads_and_no_third_one_is_waited_for(judge: Judge) -> None:
    case = silent_once(judge).say("NETRAL", *SILENT, on=date(2024, 12, 24))
    assert case.owner == "KEMENDAGRI"
    assert {due.agency for due in matter(case).dues} == {"KEMENDAGRI"}
    assert not is_silence(matter(case), "KEMENDAGRI", matter(case).dues[0].last_day)


def test_the_silence_of_a_central_ppk_goes_to_kemenpanrb(judge: Judge) -> None:
    employer = {"kind": "PUSAT", "region": "kemendagri:52.04"}
    case = Case(judge, person__employer=employer).say(
        "BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4)
    )
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=date(2024, 11, 11))
    assert case.say("NETRAL", *SILENT, on=date(2024, 12, 3)).owner == "BKN"
    assert case.say("NETRAL", *SILENT, on=date(2024, 12, 24)).owner == "KEMENPANRB"


def test_warned_blocked_sanctioned_and_unblocked_are_states_of_their_own(judge: Judge) -> None:
    case = silent_once(judge)
    assert "not blocked" in case.say("BKN", "UNBLOCK").refused
    assert case.say("BKN", "WARN").state == "REPRIMANDED"
    assert "said by BKN, not by PPK" in case.say("PPK", "BLOCK").refused
    assert (case.say("BKN", "BLOCK").state, case.owner) == ("BLOCKED", "BKN")
    case.say("PPK", "PPK_CONCLUDED", "SANCTIONED", on=date(2024, 12, 20))
    assert (case.state, case.owner, matter(case).owner.why) == ("BLOCKED", "BKN", "case.lift-block")  # type: ignore[union-attr]
    case.say("BKN", "UNBLOCK")
    assert (case.state, case.owner) == ("SANCTIONED", None)


def test_a_recused_ppk_is_replaced_by_the_minister_with_a_question(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "RECUSE")
    assert "recused already" in case.say("BKN", "RECUSE").refused
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4))
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=date(2024, 11, 11))
    assert case.owner == "KEMENDAGRI"
    assert [due.agency for due in matter(case).dues] == ["KEMENDAGRI"]
    assert [
        (p.agency, p.office)
        for p in matter(case).parts
        if p.role == "COPY" and p.rule == "case.superior-of-ppk"
    ] == [("PPK", "prov:52")]
    above = [p for p in matter(case).parts if p.rule == "case.superior-of-ppk"]
    assert {p.basis[0] for p in above} == {"UU 30/2014 art. 42(2)"}
    assert "RECUSED" in matter(case).marks
    assert matter(case).questions
    assert case.say("NETRAL", *SILENT, on=date(2024, 12, 3)).owner == "BKN"


def test_a_head_of_region_reported_in_the_same_case_does_not_punish_his_staff(judge: Judge) -> None:
    home = {"kind": "KABUPATEN", "region": "kemendagri:52.04"}
    plain = a_report()
    persons = [*plain["persons"], {"ref": "head", "status": "KEPALA_DAERAH", "employer": home}]
    acts = [*plain["acts"], {"person": "head", "code": "FAVOURING_DECISION", "beneficiary": "SELF"}]
    case = Case(judge, persons=persons, acts=acts)
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4), person="p1")
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=date(2024, 11, 11), person="p1")
    assert (case.owner, matter(case).marks[-1]) == ("KEMENDAGRI", "RECUSED")


def test_who_holds_the_post_of_the_ppk_does_not_punish_himself(judge: Judge) -> None:
    case = Case(judge, person__post="Plt. Bupati")
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4))
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=date(2024, 11, 11))
    assert (case.owner, matter(case).marks[-1]) == ("KEMENDAGRI", "RECUSED")
    assert matter(case).questions


def test_a_central_ppk_with_a_conflict_of_interest_has_no_known_superior(judge: Judge) -> None:
    employer = {"kind": "PUSAT", "region": "kemendagri:52.04"}
    case = Case(judge, person__employer=employer).say("BKN", "RECUSE")
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4))
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=date(2024, 11, 11))
    assert (case.owner, matter(case).owner.why) == ("OPERATOR", "queue.no-superior")  # type: ignore[union-attr]


def test_what_the_satgas_rejects_stands_in_a_queue_with_an_alarm_until_somebody_decides(judge: Judge) -> None:
    case = Case(judge, source={"channel": "SBT"})
    case.say("BKN", "SATGAS_VERIFIED", "INVALID", on=date(2024, 11, 1))
    now = matter(case)
    assert (case.state, case.owner) == ("NOT_VERIFIED", "OPERATOR")
    assert now.owner is not None
    assert now.owner.why == "queue.not-verified"
    assert now.alarm is not None
    # 1 November 2024 was a Friday in WITA.
    assert (now.alarm.last_day, now.alarm.at) == (date(2024, 11, 6), datetime(2024, 11, 6, 16, tzinfo=UTC))
    assert case.say("OPERATOR", "ASSIGN", to="BAWASLU").owner == "BAWASLU"
    assert matter(case).alarm is None
    case.say("OPERATOR", "VOID", step=2)
    case.say("OPERATOR", "DONE")
    assert (case.state, case.owner) == ("REJECTED", None)


def test_the_operator_ends_nobody_s_part_but_what_stands_in_his_queue(judge: Judge) -> None:
    assert "owned by BAWASLU" in Case(judge).say("OPERATOR", "DONE").refused


def test_the_receiver_of_a_transfer_may_refuse_it_and_the_operator_decides(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "TRANSFER", to="POLRI")
    assert "only its owner" in case.say("BKN", "REFUSE", to="BAWASLU").refused
    assert case.say("POLRI", "REFUSE", to="BAWASLU").refused == ""
    assert (case.state, case.owner) == ("REFUSED", "OPERATOR")
    assert "passed p1 on already" in case.say("OPERATOR", "TRANSFER", to="POLRI").refused


def test_a_file_returned_in_a_circle_is_refused(judge: Judge) -> None:
    case = at_ppk(judge).say("PPK", "RETURN", to="BKN")
    assert case.state == "RETURNED"
    assert "say DONE once it is completed" in case.say("BKN", "RETURN", to="PPK").refused


def test_who_speaks_with_a_key_of_the_whole_agency_speaks_for_the_office_that_has_the_file(
    judge: Judge,
) -> None:
    case = at_ppk(judge).say("PPK", "TRANSFER", to="PPK", office="prov:52").say("PPK", "ACCEPT")
    assert held_by(case) == ("PPK", "prov:52")
    assert "passed p1 on already" in case.say("PPK", "TRANSFER", to="PPK", office="kabkota:52.04").refused
    assert case.say("PPK", "RETURN", to="BKN").refused == ""
    assert held_by(case) == ("BKN", "pusat")
    assert case.say("BKN", "DONE", by_office="pusat").state == "RECOMMENDED"
    assert held_by(case) == ("PPK", "prov:52")


def test_a_file_returned_without_naming_the_office_is_with_the_one_the_rules_know(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "STUDY_CONCLUDED", "BREACH").say("BKN", "RETURN", to="BAWASLU")
    assert held_by(case) == ("BAWASLU", "kabkota:52.04")
    assert case.say("BAWASLU", "DONE").owner == "BKN"
    case.say("BKN", "RETURN", to="BAWASLU", office="kabkota:52.04")
    assert case.say("BAWASLU", "DONE", by_office="kabkota:52.04").owner == "BKN"


def test_a_file_returned_twice_goes_back_the_way_it_came_and_its_clock_stands_until_the_end(
    judge: Judge,
) -> None:
    case = at_ppk(judge).say("PPK", "RETURN", to="BKN").say("BKN", "RETURN", to="BAWASLU")
    assert case.say("BAWASLU", "DONE").state == "RETURNED"
    assert (held_by(case), matter(case).dues) == (("BKN", "pusat"), ())
    assert case.say("BKN", "DONE").state == "RECOMMENDED"
    assert (case.owner, len(matter(case).dues)) == ("PPK", 1)


def test_a_central_body_without_a_part_is_asked_at_its_centre(judge: Judge) -> None:
    case = Case(judge, person__status="UNKNOWN", person__nip=None, person__employer=None)
    case.say("BAWASLU", "TRANSFER", to="BKN").say("BKN", "ACCEPT")
    assert held_by(case) == ("BKN", "pusat")


def test_a_receiver_that_refused_is_not_asked_again(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "TRANSFER", to="POLRI", office="prov:52")
    case.say("POLRI", "REFUSE", to="BAWASLU").say("OPERATOR", "ASSIGN", to="KPU")
    assert "passed p1 on already" in case.say("KPU", "TRANSFER", to="POLRI", office="prov:52").refused
    assert "passed p1 on already" in case.say("KPU", "TRANSFER", to="BAWASLU", office="kabkota:52.04").refused
    assert case.say("KPU", "TRANSFER", to="POLRI", office="prov:53").refused == ""


def test_a_return_stops_the_clock_and_the_rest_of_the_days_is_left_afterwards(judge: Judge) -> None:
    case = at_ppk(judge)  # from Monday 11 November; fourteen working days end on 2 December
    case.say("PPK", "RETURN", to="BKN", on=date(2024, 11, 18))
    assert matter(case).dues == ()
    case.say("BKN", "DONE", on=date(2024, 11, 22))
    assert case.owner == "PPK"
    (due,) = matter(case).dues
    # Four working days were used up before the return (12 to 15 November), ten are left after Friday 22 November.
    assert due.last_day == date(2024, 12, 9)


def test_who_left_the_service_is_marked_and_closed_as_such_by_who_must_act(judge: Judge) -> None:
    case = Case(judge).say("BKN", "LEFT_SERVICE")
    assert (case.state, case.owner) == ("ROUTED", "BAWASLU")
    assert "LEFT" in matter(case).marks
    case.say("BAWASLU", "DONE")
    assert (case.state, case.owner) == ("LEFT", None)


def test_who_moved_is_marked_and_the_case_goes_on(judge: Judge) -> None:
    case = Case(judge).say("BKN", "TRANSFERRED")
    assert (case.owner, "MOVED" in matter(case).marks) == ("BAWASLU", True)


def test_a_withdrawal_ends_everything(judge: Judge) -> None:
    case = at_ppk(judge).say("BAWASLU", "WITHDRAWN", on=date(2024, 11, 20))
    assert (case.state, case.owner, matter(case).dues) == ("WITHDRAWN", None, ())


def test_the_page_a_lawyer_reads_is_the_table_of_the_code() -> None:
    assert STEPS.read_text(encoding="utf-8") == steps_page(), "run `make schemas`"


@pytest.mark.parametrize("labels", [MARKS, QUEUES])
def test_every_label_is_there_in_both_languages(labels: dict[str, tuple[str, str]]) -> None:
    assert all(id_ and en for id_, en in labels.values())
    assert all(state.id and state.en for state in STATES.values())


def test_nobody_but_a_supervisor_speaks_as_one(judge: Judge) -> None:
    case = Case(judge, person__status="KEPALA_DAERAH").say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    assert case.owner == "KEMENDAGRI"
    assert "not by KEMENDAGRI" in case.say("KEMENDAGRI", "SUPERVISOR_CONCLUDED", "RECOMMENDED").refused
    other = Case(judge).say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    assert "not by KEMENPANRB" in other.say("KEMENPANRB", "SUPERVISOR_CONCLUDED", "RECOMMENDED").refused
