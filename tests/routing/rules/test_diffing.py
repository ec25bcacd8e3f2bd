"""Two rulebooks are compared by what they decide: the boxes are exact, and they make a patch, a minor or a major."""

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from contracts.codes import ASN_STATUSES, ViolationClass
from services.routing.core.engine import Engine
from services.routing.core.rules import Rulebook
from services.routing.core.vocabulary import FACTS, NAMES, Situation
from services.routing.rules.diff_report import report
from services.routing.rules.diffing import Box, Difference, Effect, compare
from tests.packaged import packaged_book
from tests.routing.rules.books import changed

TODAY = date(2026, 11, 24)
BOOK = packaged_book()
SUPERVISION, CRIME, LAST = "20-supervision.yaml", "50-crime.yaml", "60-follow-up.yaml"

CUT_OVER = (SUPERVISION, "from: 2024-09-04", "from: 2024-09-05")
AGENCY = (LAST, "{agency: KEMENDAGRI, role: COPY", "{agency: KEMENPANRB, role: COPY")
CLASS = (
    "30-class.yaml",
    "given: {status: ASN, act: DISPLAY_MATERIAL, stage: DESIGNATED",
    "given: {status: ASN, act: DISPLAY_MATERIAL, stage: QUIET",
)
EXCEPTION = ("10-intake.yaml", "exception_to: [bawaslu.receives, ", "exception_to: [")
FUTURE = (
    LAST,
    "      - {from: 2022-09-14, basis: [perpres-116-2022], assign: *control}\n",
    "      - {from: 2022-09-14, basis: [perpres-116-2022], assign: *control}\n"
    "      - {from: 2027-01-01, basis: [perpres-116-2022], repealed: true}\n",
)
WORDS = (LAST, "{id: BKN dapat membatalkan", "{id: BKN berwenang membatalkan")
BASIS = (
    LAST,
    "- {from: 2022-09-14, basis: [perpres-116-2022], assign: {agency",
    '- {from: 2022-09-14, basis: ["perpres-116-2022#9"], assign: {agency',
)
GROUP = ("book.yaml", "ASN: [PNS, CPNS, PPPK, PJ_KEPALA_DAERAH]", "ASN: [PNS, CPNS, PPPK]")


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Rulebook]:
    return lambda *changes: changed(tmp_path / "changed", *changes)


def test_a_rulebook_does_not_differ_from_itself() -> None:
    assert compare(BOOK, BOOK, TODAY).grade == "patch"
    assert compare(BOOK, BOOK, TODAY).reworded == ()


@pytest.mark.parametrize("change", [WORDS, BASIS])
def test_other_words_or_another_citation_are_a_patch(
    change: tuple[str, str, str], book: Callable[..., Rulebook]
) -> None:
    found = compare(BOOK, book(change), TODAY)
    assert (found.grade, found.changes, found.reworded) == ("patch", (), ("ppk.wrong-sanction",))


def test_a_change_that_begins_after_publication_is_minor(book: Callable[..., Rulebook]) -> None:
    found = compare(BOOK, book(FUTURE), TODAY)
    assert found.grade == "minor"
    assert {change.since for change in found.changes} == {date(2027, 1, 1)}


def test_the_same_change_is_major_once_its_day_has_passed(book: Callable[..., Rulebook]) -> None:
    assert compare(BOOK, book(FUTURE), date(2027, 1, 1)).grade == "minor"
    assert compare(BOOK, book(FUTURE), date(2027, 1, 2)).grade == "major"


def test_a_cut_over_moved_by_a_day_changes_that_one_day_of_handling(book: Callable[..., Rulebook]) -> None:
    found = compare(BOOK, book(CUT_OVER), TODAY)
    assert found.grade == "major"
    assert {change.box["handling"] for change in found.changes} == {frozenset({date(2024, 9, 4)})}


def test_another_agency_is_printed_as_the_box_with_what_goes_and_what_comes(
    book: Callable[..., Rulebook],
) -> None:
    other = book(AGENCY)
    said = report(BOOK, other, compare(BOOK, other, TODAY), TODAY).splitlines()
    assert said == [
        f"skb-netralitas-asn {BOOK.version} -> skb-netralitas-asn {other.version}, published 2026-11-24",
        "major: outcomes change for days that have passed; cases decided then differ",
        "boxes that change: 1, of them in the past: 1",
        "",
        "[past] status = PNS, CPNS, PPPK, PJ_KEPALA_DAERAH; employer = PROVINSI, KABUPATEN, KOTA, DESA;"
        " handling from 2014-01-15",
        "  - KEMENDAGRI COPY CENTRE at PPK_CONCLUDED:SILENT",
        "  + KEMENPANRB COPY CENTRE at PPK_CONCLUDED:SILENT",
    ]


def test_the_gravest_class_counts_and_only_for_civil_servants(book: Callable[..., Rulebook]) -> None:
    found = compare(BOOK, book(CLASS), TODAY)
    assert found.changes
    for change in found.changes:
        assert change.box["status"] <= {str(status) for status in ASN_STATUSES}
        assert change.box["act"] == {"DISPLAY_MATERIAL"}
        assert ViolationClass.DISIPLIN_BERAT in change.removed


@pytest.mark.parametrize(
    "changes", [[CUT_OVER], [AGENCY], [CLASS], [EXCEPTION], [FUTURE], [GROUP], [AGENCY, CUT_OVER]]
)
def test_the_boxes_hold_exactly_the_situations_that_the_engines_decide_differently(
    changes: list[tuple[str, str, str]], book: Callable[..., Rulebook]
) -> None:
    other = book(*changes)
    found = compare(BOOK, other, TODAY)
    old, new = Engine(BOOK), Engine(other)
    told = {True: 0, False: 0}
    for situation, incident, handling in _drawn(found, random.Random(20240904)):
        differs = _outcome(old, situation, incident, handling) != _outcome(new, situation, incident, handling)
        inside = any(
            _holds(change.box, found.space, situation, incident, handling) for change in found.changes
        )
        assert differs == inside, (situation, incident, handling)
        told[inside] += 1
    assert told[True] > 100
    assert told[False] > 100


def _drawn(found: Difference, luck: random.Random) -> list[tuple[Situation, date, date]]:
    """Situations of the whole space, and as many from the boxes with one fact changed at most."""
    cuts = {
        clock: sorted(day for day in found.space[clock] if isinstance(day, date))
        for clock in ("incident", "handling")
    }
    days = {clock: [date(2010, 1, 1), *found_days[1:]] for clock, found_days in cuts.items()}
    drawn = []
    for number in range(3000):
        near: Box = luck.choice(found.changes).box if number % 4 else found.space
        near = {**near, luck.choice(NAMES): found.space[luck.choice(NAMES)]} if number % 3 == 0 else near
        facts = {
            fact: luck.choice(sorted(near[fact] & set(map(str, FACTS[fact])) or FACTS[fact], key=str))
            for fact in NAMES
        }
        handling, incident = (_day(near[clock], days[clock], luck) for clock in ("handling", "incident"))
        if incident <= handling:
            drawn.append((tuple(str(facts[name]) for name in NAMES), incident, handling))
    return drawn


def _day(held: frozenset[str | date], days: list[date], luck: random.Random) -> date:
    inside = [day for day in days if day in held] or days
    return luck.choice(inside if luck.random() < 0.8 else days)


def _holds(box: Box, space: Box, situation: Situation, incident: date, handling: date) -> bool:
    facts = all(value in box[name] for name, value in zip(NAMES, situation, strict=True))
    days = {"incident": incident, "handling": handling}
    return facts and all(
        max(cut for cut in space[clock] if isinstance(cut, date) and cut <= day) in box[clock]
        for clock, day in days.items()
    )


def _outcome(engine: Engine, situation: Situation, incident: date, handling: date) -> set[Effect | None]:
    versions = [hit.version for hit in engine.decide(situation, incident, handling).applied]
    asn = dict(zip(NAMES, situation, strict=True))["status"] in {str(status) for status in ASN_STATUSES}
    classes = [version.class_ for version in versions if version.class_] if asn else []
    said: set[Effect | None] = {assign for version in versions for assign in version.assigns}
    said |= {version.review for version in versions}
    return (said | {max(classes, key=list(ViolationClass).index, default=None)}) - {None}
