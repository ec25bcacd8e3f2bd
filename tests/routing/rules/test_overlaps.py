"""Dead, duplicate, subsumed and overlapping rules are listed, each with its reason."""

from dataclasses import replace

import pytest

from services.routing.core.decide import Judge
from services.routing.core.rules import Rulebook
from services.routing.rules.overlaps import gaps_and_overlaps


@pytest.fixture(scope="module")
def book(judge: Judge) -> Rulebook:
    return judge.reasoner.book


def test_only_the_rule_that_waits_for_a_field_of_the_report_is_dead(book: Rulebook) -> None:
    assert [f.rules for f in gaps_and_overlaps(book) if f.kind == "dead"] == [("bawaslu.from-centre",)]


def test_no_rule_of_the_real_book_is_a_duplicate_or_adds_nothing(book: Rulebook) -> None:
    assert [str(f) for f in gaps_and_overlaps(book) if f.kind in ("duplicate", "subsumed")] == []


def test_a_copied_rule_is_a_duplicate(book: Rulebook) -> None:
    copy = replace(next(rule for rule in book.rules if rule.id == "organiser.kpu"), id="organiser.again")
    found = gaps_and_overlaps(replace(book, rules=(*book.rules, copy)))
    assert ("duplicate", ("organiser.kpu", "organiser.again")) in {(f.kind, f.rules) for f in found}


def test_a_narrower_copy_of_a_rule_is_subsumed(book: Rulebook) -> None:
    rule = next(rule for rule in book.rules if rule.id == "organiser.kpu")
    narrow = replace(rule, id="organiser.late", given={**rule.given, "late": frozenset({"YES"})})
    found = gaps_and_overlaps(replace(book, rules=(*book.rules, narrow)))
    assert [f.rules for f in found if f.kind == "subsumed"] == [("organiser.late", "organiser.kpu")]


def test_a_rule_that_its_exception_always_defeats_is_dead(book: Rulebook) -> None:
    always = replace(
        next(rule for rule in book.rules if rule.id == "organiser.kpu"),
        id="organiser.always",
        exception_to=("organiser.kpu",),
    )
    found = gaps_and_overlaps(replace(book, rules=(*book.rules, always)))
    assert ("organiser.kpu",) in [f.rules for f in found if f.kind == "dead"]


def test_rules_that_give_the_same_part_are_listed_with_the_reason_and_the_place(book: Rulebook) -> None:
    overlaps = {str(f) for f in gaps_and_overlaps(book) if f.kind == "overlap"}
    assert (
        "overlap: village.ministry.before-designation and village.ministry.national: "
        "KEMENDAGRI ACTION STUDY_CONCLUDED:BREACH: the second adds its authority; where "
        "status = KEPALA_DESA, PERANGKAT_DESA; stage = BEFORE_DESIGNATION; national = YES"
    ) in overlaps
    assert any("two offices, HOME and PLACE" in text for text in overlaps)
    assert any("two deadlines" in text and "ppk.reported.bkn" in text for text in overlaps)


def test_exceptions_are_no_overlap(book: Rulebook) -> None:
    pairs = {f.rules for f in gaps_and_overlaps(book) if f.kind == "overlap"}
    assert ("asn.supervisor", "asn.supervisor.received-by-kasn") not in pairs
    assert ("bawaslu.receives", "satgas.checks.bawaslu") not in pairs


def test_a_narrower_rule_is_not_subsumed_where_an_exception_silences_the_wider_one(book: Rulebook) -> None:
    rule = next(rule for rule in book.rules if rule.id == "organiser.kpu")
    narrow = replace(rule, id="organiser.late", given={**rule.given, "late": frozenset({"YES"})})
    silencer = replace(
        rule,
        id="organiser.silenced",
        exception_to=("organiser.kpu",),
        history=(replace(rule.history[0], assigns=(), review=rule.title),),
    )
    found = gaps_and_overlaps(replace(book, rules=(*book.rules, narrow, silencer)))
    assert ("organiser.late", "organiser.kpu") not in [f.rules for f in found if f.kind == "subsumed"]
