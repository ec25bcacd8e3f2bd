"""Each person has limits and alarms of its own: since what was said about it, and without what others waited for."""

from datetime import date, timedelta

from services.routing.core.decide import Judge
from services.routing.core.limits import timers_of
from tests.routing.core.test_admitting import of_two
from tests.routing.core.test_life import OPENED, Case, at_ppk

MONDAY = date(2024, 11, 4)


def test_the_limit_of_each_person_runs_since_what_was_said_about_it_last(judge: Judge) -> None:
    case = of_two(judge).say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=MONDAY)
    for number, ref in enumerate(("p1", "p2"), 1):
        day = MONDAY + timedelta(days=number)
        assert case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=day, person=ref).refused == ""
    assert [due.since for matter in case.life().matters for due in matter.dues if due.agency == "PPK"] == [
        MONDAY + timedelta(days=1),
        MONDAY + timedelta(days=2),
    ]


def test_who_acts_first_has_a_limit_since_the_reporter_knew(judge: Judge) -> None:
    (due,) = Case(judge).life().matters[0].dues
    assert (due.agency, due.since, due.last_day) == ("BAWASLU", date(2024, 10, 23), date(2024, 10, 30))


def test_a_limit_goes_on_whatever_else_is_said_about_the_person(judge: Judge) -> None:
    case = at_ppk(judge)
    before = case.life().matters[0].dues
    case.say("BKN", "IDENTIFIED", on=date(2024, 11, 20), status="PNS", employer="KABUPATEN")
    assert case.refused == ""
    assert case.life().matters[0].dues == before


def test_a_person_waits_for_the_operator_since_somebody_last_spoke_about_it(judge: Judge) -> None:
    case = of_two(judge).say("BAWASLU", "REFUSE", on=OPENED, person="p1", to="BKN")
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=MONDAY, person="p2")
    assert case.refused == ""
    waiting, other = case.life().matters
    assert waiting.alarm is not None
    assert waiting.alarm.since == OPENED
    assert other.alarm is None


def test_a_limit_is_no_longer_for_a_file_that_was_returned_before_it_began(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "RETURN", on=OPENED).say("OPERATOR", "DONE", on=OPENED + timedelta(1))
    assert case.refused == ""
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=MONDAY)
    case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=date(2024, 11, 11))
    assert case.life().matters[0].dues == at_ppk(judge).life().matters[0].dues


def test_nobody_is_reminded_of_a_limit_that_was_near_when_the_case_was_opened(judge: Judge) -> None:
    matters = at_ppk(judge).life().matters
    (due,) = matters[0].dues
    just_before, then = due.remind_at - timedelta(seconds=1), due.remind_at
    assert [timer.level for timer in timers_of(matters, just_before)] == ["REMINDER", "OVERDUE"]
    assert [timer.level for timer in timers_of(matters, then)] == ["OVERDUE"]
