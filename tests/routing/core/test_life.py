"""The life of a case on paper: states, owners, hops and time limits, step by step."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts.codes import Agency
from contracts.door import read_report
from contracts.facts import ReportFacts, facts_of
from contracts.steps import MoveKind, Said
from services.routing.core.admitting import refusal_of
from services.routing.core.decide import Judge
from services.routing.core.life import Life, Step, life_of, opening
from tests.builders import TODAY, a_report

OPENED = date(2024, 10, 31)


class Case:
    """A case of one PNS of a regency, played step by step; a refused step leaves it as it was."""

    def __init__(self, judge: Judge, **changed: Any) -> None:
        self.judge, self.steps, self.refused = judge, list[Step](), ""
        self.facts: ReportFacts = facts_of(read_report(a_report(**changed), TODAY), OPENED)

    def life(self) -> Life:
        return life_of(self.facts, OPENED, [step.said.on for step in self.steps], self.steps, self.judge)

    def say(
        self, by: str, event: str, result: str | None = None, *, on: date | None = None, **more: Any
    ) -> "Case":
        office = more.pop("by_office", None)
        day = on or (self.steps[-1].said.on if self.steps else OPENED)
        said = Said.model_validate({"event": event, "result": result, "on": day, **more})
        who = {step.number: step.by for step in self.steps}
        self.refused = refusal_of(self.life(), self.facts, said, by, office, TODAY, who) or ""
        if not self.refused:
            at = datetime.combine(day, datetime.min.time(), UTC)
            self.steps.append(Step(len(self.steps) + 1, at, by, office, said))
        return self

    @property
    def owner(self) -> str | None:
        owner = self.life().matters[0].owner
        return owner and str(owner.agency)

    @property
    def state(self) -> str:
        return self.life().matters[0].state


def at_ppk(judge: Judge) -> Case:
    case = Case(judge).say("BAWASLU", "STUDY_CONCLUDED", "BREACH", on=date(2024, 11, 4))
    return case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", on=date(2024, 11, 11))


def test_a_case_goes_from_bawaslu_to_bkn_to_the_ppk_and_ends(judge: Judge) -> None:
    case = Case(judge)
    seen = [(case.state, case.owner)]
    for by, event, result in (
        ("BAWASLU", "STUDY_CONCLUDED", "BREACH"),
        ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"),
        ("PPK", "PPK_CONCLUDED", "SANCTIONED"),
    ):
        assert case.say(by, event, result).refused == ""
        seen.append((case.state, case.owner))
    assert seen == [("ROUTED", "BAWASLU"), ("BREACH", "BKN"), ("RECOMMENDED", "PPK"), ("SANCTIONED", None)]


def test_a_silent_ppk_gives_the_case_to_bkn_and_still_silent_to_kemendagri(judge: Judge) -> None:
    case = at_ppk(judge).say("NETRAL", "PPK_CONCLUDED", "SILENT", on=date(2024, 12, 3))
    assert (case.state, case.owner) == ("OVERDUE", "BKN")
    assert case.say("BKN", "PPK_CONCLUDED", "SILENT", on=date(2024, 12, 20)).owner == "KEMENDAGRI"


def test_the_ppk_s_fourteen_working_days_are_counted_with_holidays_in_the_zone_of_the_place(
    judge: Judge,
) -> None:
    (due,) = at_ppk(judge).life().matters[0].dues
    # 27 November 2024 was polling day, a national holiday.
    assert (due.agency, due.since, due.last_day) == (Agency.PPK, date(2024, 11, 11), date(2024, 12, 2))
    assert due.over_at == datetime(2024, 12, 2, 16, tzinfo=UTC)
    assert due.since < due.remind_at.date() < due.last_day


@pytest.mark.parametrize(
    ("by", "event", "result", "why"),
    [
        ("PPK", "STUDY_CONCLUDED", "BREACH", "is said by BAWASLU, not by PPK"),
        ("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED", "is in state ROUTED"),
        ("PPK", "PPK_CONCLUDED", "SANCTIONED", "is in state ROUTED"),
        ("BKN", "DONE", None, "only its owner can say DONE"),
        ("BAWASLU", "ASSIGN", None, "the operator only"),
        ("BAWASLU", "TRANSFER", None, "to is missing"),
        ("BKN", "ACCEPT", None, "was not transferred to BKN"),
    ],
)
def test_an_impossible_step_is_refused_with_the_reason(
    judge: Judge, by: str, event: str, result: str | None, why: str
) -> None:
    assert why in Case(judge).say(by, event, result).refused


def test_an_impossible_step_names_what_that_body_may_say_instead(judge: Judge) -> None:
    case = Case(judge)
    assert case.say("BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED").refused.endswith(
        "BKN may say now: IDENTIFIED, LEFT_SERVICE, SATGAS_VERIFIED:INVALID, SATGAS_VERIFIED:VALID, TRANSFERRED"
    )
    ended = case.say("BAWASLU", "DONE").say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    assert ended.refused.endswith("BAWASLU may say now: nothing")


def test_a_step_before_the_last_one_or_in_the_future_is_refused(judge: Judge) -> None:
    assert (
        "before the last step"
        in at_ppk(judge).say("PPK", "PPK_CONCLUDED", "SANCTIONED", on=date(2024, 11, 5)).refused
    )
    assert (
        "in the future"
        in at_ppk(judge).say("PPK", "PPK_CONCLUDED", "SANCTIONED", on=TODAY + timedelta(1)).refused
    )


def test_a_wrong_step_is_taken_back_by_a_new_one(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH")
    assert (case.state, case.owner) == ("NOT_PROVEN_BY_STUDY", None)
    assert "only they or the operator" in case.say("BKN", "VOID", step=1).refused
    assert case.say("BAWASLU", "VOID", step=1).owner == "BAWASLU"
    assert case.say("BAWASLU", "STUDY_CONCLUDED", "BREACH").owner == "BKN"


def test_where_the_ground_of_the_last_step_is_taken_back_a_person_is_asked_whether_it_holds(
    judge: Judge,
) -> None:
    case = at_ppk(judge)
    assert case.life().matters[0].questions == ()
    assert case.say("BAWASLU", "VOID", step=1).state == "RECOMMENDED"
    assert [question.rule for question in case.life().matters[0].questions] == ["case.unfounded"]
    assert case.say("BKN", "VOID", step=2).state == "ROUTED"
    assert case.life().matters[0].questions == ()


def test_what_was_said_last_stands_although_an_end_before_it_stands_again(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH").say("OPERATOR", "VOID", step=1)
    case.say("BAWASLU", "WITHDRAWN")
    assert case.say("OPERATOR", "VOID", step=2).refused == ""
    assert (case.state, case.owner) == ("WITHDRAWN", None)


def test_a_transfer_changes_the_owner_only_when_the_receiver_accepts(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "TRANSFER", to="POLRI", office="prov:52")
    assert case.owner == "BAWASLU"
    case.say("POLRI", "ACCEPT", by_office="prov:52")
    assert case.owner == "POLRI"
    assert "passed p1 on already" in case.say("POLRI", "TRANSFER", to="BAWASLU", by_office="prov:52").refused
    assert case.say("POLRI", "REFUSE", to="BAWASLU", by_office="prov:52").owner == "OPERATOR"
    assert case.say("OPERATOR", "ASSIGN", to="BAWASLU").owner == "BAWASLU"


def test_a_returned_file_stands_with_the_operator_and_its_clock_stops(judge: Judge) -> None:
    case = at_ppk(judge).say("PPK", "RETURN")
    assert case.owner == "OPERATOR"
    assert case.life().matters[0].dues == ()
    assert at_ppk(judge).say("PPK", "RETURN", to="BKN").owner == "BKN"


def test_an_identity_counts_once_two_bodies_say_the_same(judge: Judge) -> None:
    case = Case(judge, person__status="UNKNOWN", person__nip=None)
    known = {"status": "PNS", "numbered": True, "person": "p1"}
    case.say("BAWASLU", "IDENTIFIED", **known)
    assert case.life().events == ()
    case.say("BAWASLU", "IDENTIFIED", **known)
    assert case.life().events == ()
    case.say("BKN", "IDENTIFIED", **{**known, "status": "PPPK"})
    assert case.life().events == ()
    case.say("BKN", "IDENTIFIED", **known)
    assert [event.status for event in case.life().events] == ["PNS"]


def test_after_done_by_all_who_had_to_act_the_case_is_closed(judge: Judge) -> None:
    case = Case(judge, person__status="KEPALA_DESA").say("BAWASLU", "STUDY_CONCLUDED", "BREACH")
    owner = case.owner
    assert owner not in (None, "OPERATOR")
    for _ in range(3):
        if case.owner is None:
            break
        part = next(
            p
            for p in case.life().matters[0].parts
            if p.active and p.role == "ACTION" and p.agency == case.owner
        )
        assert case.say(part.agency, "DONE", by_office=part.office).refused == ""
    assert (case.state, case.owner) == ("DONE", None)


def test_every_move_can_be_said_or_is_refused_in_words(judge: Judge) -> None:
    for kind in MoveKind:
        refused = Case(judge).say("BKN", kind).refused
        assert refused == "" or len(refused) > 20


def test_an_office_that_is_none_is_refused_because_the_log_holds_nobody_s_words(judge: Judge) -> None:
    assert (
        "office is none" in Case(judge).say("BAWASLU", "TRANSFER", to="POLRI", office="Kenari Satu").refused
    )


def test_a_decision_from_before_cases_had_a_life_gives_the_same_owners_without_limits(judge: Judge) -> None:
    life = Case(judge).life()
    assert opening(life.decision) == tuple(
        m.model_copy(update={"dues": (), "marks": ()}) for m in life.matters
    )


def test_an_opening_that_obliges_nobody_now_waits_for_the_operator(judge: Judge) -> None:
    decision = Case(judge).life().decision
    (person,) = decision.persons
    later = tuple(part.model_copy(update={"active": False}) for part in person.assignments)
    nobody = decision.model_copy(update={"persons": (person.model_copy(update={"assignments": later}),)})
    (matter,) = opening(nobody)
    assert (matter.owner and matter.owner.agency) == "OPERATOR"


def test_what_was_taken_back_stands_again_where_that_was_taken_back(judge: Judge) -> None:
    case = Case(judge).say("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH")
    seen = [case.say("OPERATOR", "VOID", step=number).state for number in (1, 2, 3)]
    assert seen == ["ROUTED", "NOT_PROVEN_BY_STUDY", "ROUTED"]


def test_who_was_identified_is_heard_with_status_post_and_employer_and_without_what_was_not_said(
    judge: Judge,
) -> None:
    case = Case(judge, person__status="UNKNOWN", person__nip=None)
    known = {"post": "GURU", "post_kind": "FUNGSIONAL", "employer": "KABUPATEN"}
    for by in ("BAWASLU", "BKN"):
        case.say(by, "IDENTIFIED", person="p1", employer_region="kemendagri:52.04", numbered=True, **known)
    (heard,) = case.life().events
    assert (heard.status, heard.post, heard.post_kind, heard.numbered) == (None, "GURU", "FUNGSIONAL", True)
    assert heard.employer is not None
    assert (heard.employer.kind, heard.employer.region) == ("KABUPATEN", "kemendagri:52.04")
    for by in ("BAWASLU", "BKN"):
        case.say(by, "IDENTIFIED", person="p1", status="PNS", numbered=True)
    last = case.life().events[-1]
    assert (last.status, last.post, last.post_kind, last.employer) == ("PNS", None, None, None)
