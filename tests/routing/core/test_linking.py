"""A case that repeats another is closed as its duplicate, and comes back with its owners when the link is taken back."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from contracts.codes import Role
from contracts.door import read_report
from contracts.events import CaseStepped
from contracts.facts import facts_of
from contracts.steps import Link, Said
from services.routing.core.decide import Judge
from services.routing.core.fanout import decided, newly_offered, stepped
from services.routing.core.life import Step, life_of
from tests.builders import TODAY, a_report
from tests.routing.core.test_fanout import accepted
from tests.routing.core.test_life import OPENED, Case, at_ppk

OLDER, OLDEST = UUID(int=1), UUID(int=2)


def test_a_linked_case_has_no_owner_no_limit_and_says_of_what_it_is_a_duplicate(judge: Judge) -> None:
    case = at_ppk(judge)
    assert case.life().matters[0].dues
    assert case.say("OPERATOR", "LINK", case=OLDER).refused == ""
    life = case.life()
    assert (case.state, case.owner, life.link) == ("LINKED", None, Link(to=OLDER, meant=OLDER))
    assert life.matters[0].dues == ()
    assert not [p for p in life.matters[0].parts if p.active and p.role is Role.ACTION]


def test_whoever_had_to_act_may_still_read_and_hears_nothing_of_the_link(judge: Judge) -> None:
    case = at_ppk(judge)
    before = case.life().matters
    case.say("OPERATOR", "LINK", case=OLDER)
    after = case.life().matters
    assert {p.agency for p in after[0].parts if p.active} == {p.agency for p in before[0].parts if p.active}
    changed = [part for part in after[0].parts if part not in before[0].parts]
    assert [(part.agency, part.role) for part in changed] == [("PPK", "INFORMATION")]
    assert newly_offered(last_step(case), before) == []
    case.say("OPERATOR", "VOID", step=3)
    assert "PPK" in {event.data.agency for event in newly_offered(last_step(case), after)}  # type: ignore[attr-defined]


def last_step(case: Case) -> CaseStepped:
    """The record of the last step, as the log would keep it."""
    record = decided(accepted(), case.life().decision, datetime(2024, 10, 31, tzinfo=UTC))
    return stepped(record, case.steps[-1], case.life())


def test_taking_the_link_back_brings_the_case_back_with_its_owner(judge: Judge) -> None:
    case = at_ppk(judge)
    before = (case.state, case.owner)
    case.say("OPERATOR", "LINK", case=OLDER)
    assert case.say("OPERATOR", "VOID", step=3).refused == ""
    assert (case.state, case.owner) == before
    assert case.life().link is None
    assert case.life().matters[0].dues
    assert case.say("PPK", "PPK_CONCLUDED", "SANCTIONED").refused == ""


def test_a_linked_case_says_nothing_for_itself(judge: Judge) -> None:
    case = Case(judge).say("OPERATOR", "LINK", case=OLDER)
    for by, event, result in (("BAWASLU", "STUDY_CONCLUDED", "BREACH"), ("BAWASLU", "TRANSFER", None)):
        assert f"is linked to the case {OLDER}; say it there" in case.say(by, event, result, to=None).refused
    assert "linked to the case" in case.say("OPERATOR", "LINK", case=OLDEST).refused
    assert case.life().link == Link(to=OLDER, meant=OLDER)


@pytest.mark.parametrize(
    ("by", "more", "why"),
    [
        ("BAWASLU", {"case": OLDER}, "the operator only"),
        ("OPERATOR", {}, "case is missing; answer a match"),
        ("OPERATOR", {"case": OLDER, "person": "p1"}, "linked whole"),
        ("NETRAL", {"case": OLDER}, "only the operator links it"),
    ],
)
def test_a_link_is_the_operator_s_and_whole(judge: Judge, by: str, more: dict[str, object], why: str) -> None:
    assert why in Case(judge).say(by, "LINK", **more).refused


def test_a_closed_case_is_not_linked(judge: Judge) -> None:
    closed = Case(judge).say("BAWASLU", "STUDY_CONCLUDED", "NO_BREACH")
    refused = closed.say("OPERATOR", "LINK", case=OLDER).refused
    assert "every person of the case is closed (NOT_PROVEN_BY_STUDY (tidak terbukti))" in refused


def test_the_system_leads_a_link_on_and_back_and_a_person_s_link_ends_both(judge: Judge) -> None:
    case = Case(judge).say("OPERATOR", "LINK", case=OLDER).say("NETRAL", "LINK", case=OLDEST)
    assert case.life().link == Link(to=OLDEST, meant=OLDER)
    assert case.say("NETRAL", "LINK", case=OLDER).life().link == Link(to=OLDER, meant=OLDER)
    assert case.say("OPERATOR", "VOID", step=1).life().link is None
    assert (case.state, case.owner) == ("ROUTED", "BAWASLU")


def test_a_person_whose_matter_is_closed_keeps_its_end_when_the_case_is_linked(judge: Judge) -> None:
    report = a_report()
    report["persons"].append({**report["persons"][0], "ref": "p2", "nip": None, "status": "PNS"})
    del report["persons"][1]["nip"]
    report["acts"].append({**report["acts"][0], "person": "p2"})
    facts = facts_of(read_report(report, TODAY), OPENED)
    words = [
        (
            "BAWASLU",
            Said.model_validate(
                {"event": "STUDY_CONCLUDED", "result": "NO_BREACH", "person": "p1", "on": OPENED}
            ),
        ),
        ("OPERATOR", Said.model_validate({"event": "LINK", "case": OLDER, "on": OPENED})),
    ]
    at = datetime(2024, 10, 31, tzinfo=UTC)
    steps = [Step(n, at, by, None, said) for n, (by, said) in enumerate(words, 1)]
    life = life_of(facts, OPENED, [OPENED] * 2, steps, judge)
    assert [matter.state for matter in life.matters] == ["NOT_PROVEN_BY_STUDY", "LINKED"]
