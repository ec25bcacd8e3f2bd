"""A limit is missed where it ran long enough to be said, whatever a clock that was wrong wrote into the events."""

from datetime import timedelta

import pytest

from services.cli.verify.due_checks import check_dues
from services.cli.verify.history import case_of
from services.cli.verify.logbook import APART, Fact
from services.cli.verify.slimming import slim
from services.routing.core.decide import Judge
from tests.cli.verify.planting import OPENED, Document, a_log

HOUR, MOMENT, NEVER = timedelta(hours=1), timedelta(seconds=3), timedelta()


@pytest.fixture
def log(judge: Judge) -> list[Document]:
    """A case whose limits were over before it was opened, and one step of its agency; of the limits nobody said a word."""
    return a_log(judge, "late", (("BAWASLU", "STUDY_CONCLUDED", "BREACH"),))


def missed(log: list[Document], ours: timedelta, brokers: timedelta, told_again: timedelta) -> list[str]:
    """The limits of Bawaslu that are found missed where the step came so long after the opening.

    By our clock and by the broker's, which got all this as much later as `told_again` says.
    """
    found = case_of("a", facts_of(log, ours, brokers, told_again), [])
    dues = check_dues(found, OPENED + ours + MOMENT, {})
    return [one.says for one in dues if one.kind == "due-missed" and "BAWASLU" in one.says]


def facts_of(
    log: list[Document], ours: timedelta, brokers: timedelta = NEVER, told_again: timedelta = NEVER
) -> list[Fact]:
    """The events of the case, ten places apart in their stream."""
    stepped = OPENED + ours
    facts = []
    for seq, entry in enumerate(log):
        if not entry["subject"].startswith("cases."):
            continue
        later = OPENED.isoformat()[:19] not in entry["event"]["time"]
        at, stamp = (stepped, stepped) if later else (OPENED, stepped - brokers)
        data = slim(entry["event"]["data"])
        facts.append(
            Fact(10 * seq, entry["subject"].split(".")[2], entry["subject"], at, data, stamp + told_again)
        )
    return facts


@pytest.mark.parametrize(
    ("ours", "brokers", "told_again", "count"),
    [
        pytest.param(HOUR, HOUR, NEVER, 1, id="it ran for an hour"),
        pytest.param(MOMENT, MOMENT, NEVER, 0, id="it ran for a moment"),
        pytest.param(HOUR, MOMENT, NEVER, 0, id="the clock was an hour behind when the case was opened"),
        pytest.param(MOMENT, HOUR, NEVER, 1, id="the clock was an hour ahead when the case was opened"),
        pytest.param(HOUR, MOMENT, APART, 1, id="everything was told again by a restore, in one moment"),
    ],
)
def test_a_limit_is_missed_where_nobody_said_it_while_it_ran(
    log: list[Document], ours: timedelta, brokers: timedelta, told_again: timedelta, count: int
) -> None:
    assert len(missed(log, ours, brokers, told_again)) == count


@pytest.mark.parametrize(("place", "wrong"), [(-1, False), (1, True)])
def test_a_limit_that_a_clock_weeks_ahead_said_while_it_ran_is_said_rightly_and_after_it_ran_is_not(
    log: list[Document], place: int, wrong: bool
) -> None:
    facts = facts_of(log, MOMENT)
    (step,) = (fact for fact in facts if fact.kind == "step")
    opening = next(fact.data for fact in facts if fact.kind == "decided")
    person = opening["persons"][0]
    due = next(due for due in person["dues"] if due["agency"] == "BAWASLU")
    about = {"person": person["ref"], "agency": "BAWASLU", "last_day": due["last_day"], "level": "OVERDUE"}
    said = Fact(step.seq + place, "due", "", OPENED + timedelta(days=40), about)
    found = case_of("a", sorted([*facts, said]), [])
    kinds = [one.kind for one in check_dues(found, OPENED + 2 * MOMENT, {})]
    assert ("due-at-wrong-time" in kinds) == wrong
