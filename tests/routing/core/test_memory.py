"""What a judge remembers never changes what it says."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from contracts.codes import Act, Beneficiary, Channel, EmployerKind, PostKind, ReporterKind, Status
from contracts.door import read_report
from contracts.facts import ReportFacts, facts_of
from contracts.progress import Progress
from services.routing.core.decide import Judge
from services.routing.core.route import DECISIONS, Reasoner
from tests.builders import TODAY, a_report

CUTS = [date(2024, 8, 24), date(2024, 9, 4), date(2024, 9, 22), date(2024, 11, 27), date(2025, 10, 16)]
REGIONS = ("kemendagri:16.07", "kemendagri:64.02", "kemendagri:16")


def drawn(dice: random.Random, base: ReportFacts) -> ReportFacts:
    """Facts near the cut-overs, differing from each other in one or two things only."""
    occurred = dice.choice(CUTS) + timedelta(dice.randint(-1, 1))
    known = occurred + timedelta(dice.randint(0, 1))
    people = [
        base.persons[0].model_copy(
            update={
                "ref": f"p{number}",
                "status": dice.choice((Status.PNS, Status.PPPK, Status.KEPALA_DESA, Status.UNKNOWN)),
                "post_kind": dice.choice(tuple(PostKind)),
                "employer": dice.choice((EmployerKind.KABUPATEN, EmployerKind.PUSAT)),
                "employer_region": dice.choice((*REGIONS, None)),
                "numbered": dice.random() < 0.5,
            }
        )
        for number in (1, 2)
    ]
    acts = [
        base.acts[0].model_copy(
            update={
                "person": person.ref,
                "code": dice.choice((Act.SUPPORT_LETTER, Act.JOIN_CAMPAIGN)),
                "beneficiary": dice.choice(tuple(Beneficiary)),
            }
        )
        for person in people
    ]
    case = {
        "region": dice.choice(REGIONS),
        "online": dice.random() < 0.5,
        "channel": dice.choice((None, Channel.SBT)),
        "reporter": dice.choice((ReporterKind.VOTER, ReporterKind.ANONYMOUS)),
        "evidence": dice.randint(0, 1),
    }
    days = {"occurred_on": occurred, "known_on": known, "reported_on": known + timedelta(dice.randint(0, 9))}
    return base.model_copy(update={**case, **days, "persons": tuple(people), "acts": tuple(acts)})


@pytest.mark.parametrize("seed", range(3))
def test_a_judge_that_has_seen_much_says_what_a_fresh_one_says(judge: Judge, seed: int) -> None:
    dice = random.Random(seed)
    base = facts_of(read_report(a_report(), TODAY), TODAY)
    breach = Progress.model_validate({"event": "STUDY_CONCLUDED", "result": "BREACH", "on": "2025-11-01"})
    asked = [
        (
            drawn(dice, base),
            date(2025, 10, 15) + timedelta(dice.randint(0, 2)),
            dice.choice((None, (), (breach,))),
        )
        for _ in range(60)
    ]
    said = [judge.decide(*question) for question in asked * 2][60:]
    fresh = [replace(judge, reasoner=Reasoner(judge.reasoner.book)).decide(*question) for question in asked]
    assert said == fresh


def test_a_judge_remembers_so_many_decisions_and_no_more(judge: Judge) -> None:
    reasoner, facts = Reasoner(judge.reasoner.book), facts_of(read_report(a_report(), TODAY), TODAY)
    judge = replace(judge, reasoner=reasoner)
    for number in range(DECISIONS + 20):
        judge.decide(facts.model_copy(update={"occurred_on": TODAY - timedelta(number)}), TODAY, ())
        assert len(reasoner._routes) <= DECISIONS
    assert 0 < len(reasoner._routes) < 100
