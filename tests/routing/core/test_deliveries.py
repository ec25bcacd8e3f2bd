"""The whole schedule with a clock that is moved, against the table that integrators read; and what each answer means."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.routing.core.deliveries import SCHEDULE, Outcome, State, Verdict, after, outcome_of, pause

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DOWN = Outcome(Verdict.FAILED, "500")
IDS = [f"delivery-{n}" for n in range(300)]
TABLE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def documented() -> list[timedelta]:
    """The pauses of the table in docs/webhooks.md."""
    units = {"s": 1, "min": 60, "h": 3600}
    rows = re.findall(r"(?m)^\| \d+ \| (\d+) (s|min|h) \|", TABLE)
    return [timedelta(seconds=int(count) * units[unit]) for count, unit in rows]


def walk(delivery_id: str, outcome: Outcome = DOWN) -> list[timedelta]:
    """The pauses before each attempt until the schedule ends, by a clock that jumps to each attempt."""
    pauses, spent, now = [timedelta()], 0, NOON
    while True:
        step = after(outcome, spent, delivery_id, now)
        if step.at is None:
            assert step.state is State.HELD
            return pauses
        assert step.state is State.PENDING
        pauses.append(step.at - now)
        spent, now = step.spent, step.at


def test_the_schedule_is_the_documented_one_and_lasts_75_hours() -> None:
    assert list(SCHEDULE) == documented()
    assert sum(SCHEDULE, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize("delivery_id", IDS[:20])
def test_every_pause_is_the_documented_one_within_a_fifth(delivery_id: str) -> None:
    pauses = walk(delivery_id)
    assert len(pauses) == len(documented()) == 10
    for found, wanted in zip(pauses, documented(), strict=True):
        assert 0.8 * wanted <= found <= 1.2 * wanted


def test_the_spread_is_the_same_for_one_delivery_and_even_over_many() -> None:
    assert walk(IDS[0]) == walk(IDS[0]) != walk(IDS[1])
    last = [walk(each)[-1] / SCHEDULE[-1] for each in IDS]
    assert min(last) < 0.85
    assert max(last) > 1.15
    assert 0.97 < sum(last) / len(last) < 1.03


def test_a_delivery_ends_with_the_first_success() -> None:
    for status in (200, 201, 202, 204, 299):
        step = after(outcome_of(status), 3, "d", NOON)
        assert (step.state, step.at) == (State.DELIVERED, None)


@pytest.mark.parametrize(
    "status", [100, 199, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 418, 500, 503]
)
def test_every_other_answer_is_tried_again_also_a_redirection_and_a_lapsed_key(status: int) -> None:
    step = after(outcome_of(status), 0, "d", NOON)
    assert (step.state, step.spent) == (State.PENDING, 1)
    assert step.at is not None
    assert timedelta(seconds=4) <= step.at - NOON <= timedelta(seconds=6)


@pytest.mark.parametrize(
    "outcome", [outcome_of(429), outcome_of(502), outcome_of(504), Outcome(Verdict.BUSY, "timeout")]
)
def test_who_is_busy_gets_at_least_a_minute(outcome: Outcome) -> None:
    step = after(outcome, 0, "d", NOON)
    assert step.at == NOON + timedelta(seconds=60)
    assert pause(outcome, 3, "d") >= 0.8 * SCHEDULE[3]


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(1, 60, 60), (90, 90, 90), (10**9, 120, 120), (-5, 60, 60)]
)
def test_retry_after_counts_between_the_pause_and_twice_of_it(asked: float, least: int, most: int) -> None:
    found = pause(outcome_of(429, asked), 1, "d")
    assert timedelta(seconds=least) <= found <= timedelta(seconds=most)


def test_gone_holds_at_once() -> None:
    assert after(outcome_of(410), 0, "d", NOON).state is State.HELD


def test_a_trouble_of_ours_and_a_failed_probe_spend_nothing() -> None:
    ours = after(Outcome(Verdict.OURS, "network"), 9, "d", NOON)
    assert (ours.state, ours.spent, ours.at) == (State.PENDING, 9, NOON + timedelta(seconds=60))
    probe = after(DOWN, 9, "d", NOON, probe=True)
    assert (probe.state, probe.spent, probe.at) == (State.PENDING, 9, NOON)
