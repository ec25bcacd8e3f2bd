"""Where each of several persons stands, what is marked beside its state, and what is asked."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.door import read_report
from contracts.facts import facts_of
from contracts.steps import Matter, Said
from services.routing.core.decide import Judge
from services.routing.core.life import Step, life_of
from tests.builders import TODAY, a_report
from tests.routing.core.test_admitting import of_two
from tests.routing.core.test_life import Case, at_ppk

HOME = {"kind": "KABUPATEN", "region": "kemendagri:52.04"}


def beside(judge: Judge, **other: object) -> tuple[Matter, ...]:
    """A teacher of a regency, and somebody else in the same report."""
    plain = a_report()
    acts = [*plain["acts"], {**plain["acts"][0], "person": "p2"}]
    return Case(judge, persons=[*plain["persons"], {"ref": "p2", **other}], acts=acts).life().matters


def test_of_two_persons_only_the_unknown_one_is_marked_as_not_identified(judge: Judge) -> None:
    marks = [matter.marks for matter in beside(judge, status="UNKNOWN", employer=HOME)]
    assert ["UNIDENTIFIED" in found for found in marks] == [False, True]
    marks = [matter.marks for matter in beside(judge, status="PNS", employer={"kind": "UNKNOWN"})]
    assert ["UNIDENTIFIED" in found for found in marks] == [False, True]


def test_a_reported_head_of_region_bars_the_ppk_of_the_staff_and_nobody_else_s(judge: Judge) -> None:
    staff, head = beside(judge, status="KEPALA_DAERAH", employer=HOME)
    assert "RECUSED" in staff.marks
    assert [question.rule for question in staff.questions] == ["case.superior-of-ppk"]
    assert "RECUSED" not in head.marks
    assert head.questions == ()


def test_only_whom_gakkumdu_must_look_at_is_marked_by_a_crime(judge: Judge) -> None:
    staff, deputy = beside(judge, status="PJ_KEPALA_DAERAH", employer=HOME)
    assert "CRIME" not in staff.marks
    assert "CRIME" in deputy.marks


def test_a_case_is_complete_where_nothing_is_lacking_that_the_decision_names(judge: Judge) -> None:
    (whole,), (lacking,) = Case(judge).life().matters, Case(judge, evidence=[]).life().matters
    assert "COMPLETE" in whole.marks
    assert "COMPLETE" not in lacking.marks


def test_how_a_silent_ppk_was_pressed_is_shown_no_more_once_it_has_acted(judge: Judge) -> None:
    case = at_ppk(judge).say("NETRAL", "PPK_CONCLUDED", "SILENT", on=date(2024, 12, 3))
    assert case.say("BKN", "WARN").state == "REPRIMANDED"
    assert case.say("BKN", "PPK_CONCLUDED", "WRONG_SANCTION").state == "WRONG_SANCTION"


def test_a_step_that_moves_nobody_on_founds_what_is_said_next(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "IDENTIFIED", on=date(2024, 11, 1), status="PNS", employer="KABUPATEN")
    case.say("PPK", "TRANSFERRED").say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    assert (case.refused, case.state) == ("", "BREACH")
    assert "case.unfounded" not in [question.rule for question in case.life().matters[0].questions]


@pytest.mark.parametrize(("result", "marked"), [("ELEMENTS_MET", True), ("ELEMENTS_NOT_MET", False)])
def test_what_gakkumdu_found_to_be_a_crime_stays_marked(judge: Judge, result: str, marked: bool) -> None:
    case = Case(judge).say("BAWASLU", "GAKKUMDU_CONCLUDED", result)
    case.say("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH")
    (matter,) = case.life().matters
    assert ("CRIME" in matter.marks) == marked


def test_a_case_is_handled_on_the_day_of_its_last_step_also_where_a_person_was_closed_before(
    judge: Judge,
) -> None:
    case, first, last = of_two(judge), date(2024, 11, 4), date(2024, 11, 8)
    case.say("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH", on=first, person="p1")
    assert case.life().decision.handled_on == first
    case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=last, person="p2")
    assert case.life().decision.handled_on == last
    assert [matter.state for matter in case.life().matters] == ["NOT_PROVEN_BY_STUDY", "BREACH"]


def when_kasn_ended(judge: Judge, *said: tuple[date, str, dict[str, Any]]) -> list[set[str]]:
    """By which agencies' parts each of two persons stands; from 4 September 2024 on BKN has those of KASN."""
    plain, opened = (
        a_report(
            reported_on="2024-07-30", incident__occurred_on="2024-07-28", incident__known_on="2024-07-29"
        ),
        date(2024, 7, 31),
    )
    persons = [*plain["persons"], {**plain["persons"][0], "ref": "p2"}]
    acts = [*plain["acts"], {**plain["acts"][0], "person": "p2"}]
    facts = facts_of(read_report({**plain, "persons": persons, "acts": acts}, TODAY), opened)
    steps = [
        Step(n, datetime(2024, 9, 9, tzinfo=UTC), by, None, Said.model_validate({"on": on, **words}))
        for n, (on, by, words) in enumerate(said, 1)
    ]
    life = life_of(facts, opened, [on for on, _, _ in said], steps, judge)
    return [{str(part.agency) for part in m.parts} & {"KASN"} for m in life.matters]


def test_what_was_closed_stays_as_it_was_decided_on_the_day_of_the_last_progress_about_it(
    judge: Judge,
) -> None:
    before, between, after = date(2024, 8, 1), date(2024, 8, 20), date(2024, 9, 10)
    breach = {"event": "STUDY_CONCLUDED", "result": "BREACH"}
    ends = {"event": "STUDY_CONCLUDED", "result": "NO_BREACH", "person": "p1"}
    noted = {"event": "ACKNOWLEDGE"}
    kasn, bkn = {"KASN"}, set[str]()
    closed = (between, "BAWASLU", ends)
    assert when_kasn_ended(judge, closed) == [kasn, kasn]
    assert when_kasn_ended(judge, closed, (after, "BAWASLU", noted)) == [kasn, bkn]
    assert when_kasn_ended(judge, closed, (after, "BAWASLU", {**breach, "person": "p2"})) == [kasn, bkn]
    repair = (before, "BAWASLU", {"event": "STUDY_CONCLUDED", "result": "REPAIR_NEEDED"})
    assert when_kasn_ended(judge, repair, (after, "BAWASLU", ends)) == [bkn, bkn]
