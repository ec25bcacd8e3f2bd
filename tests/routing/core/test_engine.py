"""The fast evaluator means what the slow, obvious one says, on random situations and on the days around every cut."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.core.engine import Engine
from services.routing.core.reference import applied
from services.routing.core.rules import Both, Rule, Rulebook, Version
from services.routing.core.vocabulary import FACTS
from tests.packaged import packaged_book

BOOK = packaged_book()
ENGINE = Engine(BOOK)
CUTS = sorted({version.since for rule in BOOK.rules for version in rule.history})

situations = st.tuples(*(st.sampled_from(values) for values in FACTS.values())).map(
    lambda s: tuple(map(str, s))
)
days = st.sampled_from(CUTS).flatmap(
    lambda cut: st.sampled_from([cut - timedelta(days=1), cut, cut + timedelta(days=1)])
) | st.dates(date(2013, 1, 1), date(2028, 12, 31))


@settings(max_examples=1500, deadline=None)
@given(situations, days, days)
def test_fast_and_slow_agree(situation: tuple[str, ...], incident: date, handling: date) -> None:
    fast = [hit.rule.id for hit in ENGINE.decide(situation, incident, handling).applied]
    assert fast == applied(BOOK, situation, incident, handling)


def test_a_defeated_exception_defeats_nobody() -> None:
    versions = (Version(date(2020, 1, 1), ()),)
    names = {"base": (), "exception": ("base",), "exception-to-the-exception": ("exception",)}
    rules = tuple(
        Rule(name, "", Both("", ""), {}, "handling", versions, exception_to=targets)
        for name, targets in names.items()
    )
    book = Rulebook("b", "1", "", {}, rules)
    anything = tuple(str(values[0]) for values in FACTS.values())
    hits = Engine(book).decide(anything, date(2021, 1, 1), date(2021, 1, 1))
    assert [hit.rule.id for hit in hits.applied] == ["base", "exception-to-the-exception"]
    assert hits.defeated[0].defeated_by == ("exception-to-the-exception",)


def test_before_the_first_version_and_after_repeal_a_rule_is_silent() -> None:
    history = (Version(date(2020, 1, 1), ()), Version(date(2021, 1, 1), (), repealed=True))
    book = Rulebook("b", "1", "", {}, (Rule("r", "", Both("", ""), {}, "handling", history),))
    anything = tuple(str(values[0]) for values in FACTS.values())
    told = {
        day: len(Engine(book).decide(anything, date(2000, 1, 1), day).applied)
        for day in (date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1))
    }
    assert list(told.values()) == [0, 1, 1, 0]
