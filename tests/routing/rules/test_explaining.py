"""Every decision can be said in sentences, and what is not known is weighed exactly."""

from datetime import date
from typing import Any

import pytest

from contracts.door import read_report
from contracts.facts import facts_of
from services.routing.core.decide import Judge
from services.routing.rules.asking import Outlook, outlook
from services.routing.rules.explaining import explain
from tests.builders import TODAY, a_report

DAY = date(2024, 10, 31)


def told(judge: Judge, **changed: Any) -> str:
    return explain(judge, facts_of(read_report(a_report(**changed), TODAY), DAY, keep_refs=True), DAY)


def seen(judge: Judge, **changed: Any) -> Outlook:
    questions = judge.questions(facts_of(read_report(a_report(**changed), TODAY), DAY), DAY)
    asked = questions[0][1]
    return outlook(judge.reasoner.engine, asked.situations[0], asked.occurred_on, asked.handled_on)


def test_an_explanation_names_rule_facts_version_and_authority_in_both_languages(judge: Judge) -> None:
    text = told(judge)
    assert "[asn.supervisor, R10, R11, R12, R14, R15]: BKN ACTION @ STUDY_CONCLUDED:BREACH" in text
    assert "Karena status = PNS, dan pada 31 Oktober 2024 berlaku versi sejak 4 September 2024." in text
    assert (
        "Because status = PNS, and on 31 October 2024 the version since 4 September 2024 is in force." in text
    )


def test_an_explanation_says_why_not_for_every_other_agency(judge: Judge) -> None:
    text = told(judge)
    assert (
        "KASN tidak ditugasi [asn.supervisor]: handled_on adalah 2024-10-31, perlu 2014-01-15..2024-08-23."
        in text
    )
    assert "GAKKUMDU is not assigned: post_kind is FUNGSIONAL, needs STRUKTURAL." in text


def test_a_defeated_rule_stays_in_the_explanation_with_its_exception(judge: Judge) -> None:
    text = told(judge, act__code="PARTY_MEMBERSHIP", person__nip=None)
    assert "[asn.supervisor] cocok, tetapi dikesampingkan oleh asn.supervisor.identity-first." in text


def test_with_nothing_unknown_everything_is_certain(judge: Judge) -> None:
    found = seen(judge, election__office="BUPATI")
    assert found.unknown == ()
    assert found.possible == ()
    assert found.ask is None


@pytest.mark.parametrize(
    ("change", "ask"),
    [
        ({"person__status": "UNKNOWN"}, "status"),
        ({"person__post_kind": None}, "post_kind"),
        ({"person__employer": None}, "employer"),
        ({"election__office": None}, None),
    ],
)
def test_the_one_fact_to_ask_for_is_the_one_that_settles_most(
    judge: Judge, change: dict[str, Any], ask: str | None
) -> None:
    assert seen(judge, **change).ask == ask


def test_a_certain_part_is_in_every_way_the_facts_can_turn_out(judge: Judge) -> None:
    found = seen(judge, person__status="UNKNOWN", person__post_kind=None)
    assert ("BAWASLU", "ACTION", "OPENED") in found.certain
    assert ("BKN", "ACTION", "STUDY_CONCLUDED:BREACH") in found.possible
    assert not set(found.certain) & set(found.possible)
