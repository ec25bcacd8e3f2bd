"""A stored decision comes out again byte for byte; another rulebook or a later day shows what would change."""

from dataclasses import replace
from datetime import date

from contracts.door import read_report
from contracts.facts import facts_of
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.core.rules import Rulebook
from services.routing.rules.replaying import Stored, lines_of, replay
from tests.builders import TODAY, a_report


def stored(judge: Judge, handled_on: str) -> list[Stored]:
    facts = facts_of(read_report(a_report(), TODAY), date(2024, 10, 25))
    day = date.fromisoformat(handled_on)
    return [Stored(f"case-{n}", facts, judge.decide(facts, day, ())) for n in range(7)]


def test_the_same_rulebook_reproduces_every_decision(judge: Judge) -> None:
    tally = replay(stored(judge, "2024-10-31"), lambda _: judge)
    assert (tally.cases, tally.same, tally.changed) == (7, 7, [])


def test_a_rulebook_without_a_rule_shows_whom_it_would_have_left_out(judge: Judge) -> None:
    book = judge.reasoner.book
    rules = tuple(rule for rule in book.rules if rule.id != "asn.supervisor")
    other = Rulebook(book.id, "other", "sha256:other", book.sources, rules)
    tally = replay(stored(judge, "2024-10-31"), lambda _: replace(judge, reasoner=Reasoner(other)))
    assert len(tally.changed) == 7
    assert tally.same == 0
    assert (tally.before["BKN ACTION"], tally.after["BKN ACTION"]) == (7, 7), "BKN still acts on a silent PPK"


def test_as_if_handled_before_and_after_the_end_of_kasn(judge: Judge) -> None:
    old = stored(judge, "2024-08-23")
    tally = replay(old, lambda _: judge, as_if=date(2024, 9, 4))
    assert tally.before["KASN ACTION"] == 7
    assert tally.after["KASN ACTION"] == 0
    assert replay(old, lambda _: judge, as_if=date(2024, 1, 1)).changed == []


def test_small_cells_are_hidden(judge: Judge) -> None:
    text = "\n".join(lines_of(replay(stored(judge, "2024-10-31")[:3], lambda _: judge)))
    assert "<5" in text
    assert " 3 " not in text.split("\n", 1)[1]
