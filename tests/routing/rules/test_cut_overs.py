"""Every day on which the rulebook changes is signed, and tested on the day before, the day and the day after."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from contracts import regions
from services.routing.core.decide import Judge
from tests.routing.rules.signed import CutOver, Example, cut_overs, decide, holds

CUTS = cut_overs()
ONE_DAY = timedelta(days=1)
ZONES = {"WIB": "kemendagri:31.71", "WITA": "kemendagri:52.04", "WIT": "kemendagri:81.71"}


def test_every_day_the_rulebook_changes_is_signed(judge: Judge) -> None:
    book = judge.reasoner.book
    known = {(rule.by, version.since) for rule in book.rules for version in rule.history}
    assert {(cut.clock, cut.on) for cut in CUTS} == known


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "cut", [c for c in CUTS if c.clock == "handling"], ids=lambda c: f"{c.on}-{c.changes}"
)
def test_a_change_of_competence_comes_at_midnight_of_the_place(judge: Judge, cut: CutOver, zone: str) -> None:
    region = ZONES[zone]
    midnight = datetime.combine(cut.on, time(), regions.zone_of(region)).astimezone(UTC)
    assert midnight.time() == time(24 - {"WIB": 7, "WITA": 8, "WIT": 9}[zone])
    instants = (midnight - timedelta(seconds=1), midnight, midnight + ONE_DAY)
    days = [instant.astimezone(regions.zone_of(region)).date() for instant in instants]
    _changes_once(judge, cut, [_in(cut.at(day), region) for day in days])


@pytest.mark.parametrize(
    "cut", [c for c in CUTS if c.clock == "incident"], ids=lambda c: f"{c.on}-{c.changes}"
)
def test_a_change_of_the_norm_comes_on_the_day_of_the_event(judge: Judge, cut: CutOver) -> None:
    _changes_once(judge, cut, [cut.at(cut.on + n * ONE_DAY) for n in (-1, 0, 1)])


def _changes_once(judge: Judge, cut: CutOver, around: list[Example]) -> None:
    before, on, after = (decide(judge, example).persons[0] for example in around)
    for line in cut.before:
        assert [holds(line, person) for person in (before, on, after)] == [True, False, False], line
    for line in cut.after:
        assert [holds(line, person) for person in (before, on, after)] == [False, True, True], line
    told = [{**p.model_dump(), "not_assigned": ()} for p in (before, on, after)]
    assert (told[0] == told[1]) is cut.nothing
    assert told[1] == told[2]


def _in(example: Example, region: str) -> Example:
    return replace(example, facts=example.facts.model_copy(update={"region": region}))
