"""The breaker opens, probes and closes; alarms are raised once for each spell; five days of only failures suspend."""

from datetime import UTC, datetime, timedelta

from contracts.webhooks import AlarmKind
from services.routing.core.deliveries import Outcome, State, Verdict, outcome_of
from services.routing.core.health import Health, seen, suspended

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD, DOWN = outcome_of(200), outcome_of(500)


def played(health: Health, outcomes: list[Outcome], now: datetime = NOON, step: float = 1) -> Health:
    """The health after outcomes `step` seconds apart."""
    for number, outcome in enumerate(outcomes):
        health = seen(health, outcome, State.PENDING, now + timedelta(seconds=number * step))
    return health


def test_seven_failures_of_ten_open_it_and_six_do_not() -> None:
    assert played(Health(), [GOOD] * 3 + [DOWN] * 7).open
    assert not played(Health(), [GOOD] * 4 + [DOWN] * 6).open
    assert not played(Health(), [DOWN] * 9).open


def test_what_is_older_than_five_minutes_does_not_count() -> None:
    assert not played(Health(), [DOWN] * 30, step=60).open
    assert played(Health(), [DOWN] * 30, step=20).open


def test_an_open_breaker_probes_later_and_later_and_closes_with_the_first_success() -> None:
    health = played(Health(), [DOWN] * 10)
    pauses, now = [], NOON + timedelta(seconds=9)
    for _ in range(6):
        assert health.probe_at is not None
        pauses.append((health.probe_at - now).total_seconds())
        now = health.probe_at
        health = seen(health, DOWN, State.PENDING, now, probe=True)
    assert pauses == [30, 60, 120, 300, 300, 300]
    health = seen(health, GOOD, State.DELIVERED, now, probe=True)
    assert health == Health()


def test_a_probe_planned_by_a_clock_that_ran_ahead_is_not_waited_for() -> None:
    health = played(Health(), [DOWN] * 10)
    assert health.waits(NOON + timedelta(seconds=20))
    assert not health.waits(NOON + timedelta(seconds=39))
    assert not health.waits(NOON - timedelta(days=9))
    assert not Health().waits(NOON)
    failed_ahead = played(Health(), [DOWN] * 9, now=NOON + timedelta(days=9))
    assert not seen(failed_ahead, DOWN, State.PENDING, NOON).open, "they do not count before their time"


def test_an_attempt_from_before_the_opening_neither_closes_nor_prolongs_it() -> None:
    opened = played(Health(), [DOWN] * 10)
    later = NOON + timedelta(seconds=12)
    for outcome in (GOOD, DOWN):
        assert seen(opened, outcome, State.PENDING, later).probe_at == opened.probe_at


def test_a_trouble_of_ours_never_counts() -> None:
    ours = Outcome(Verdict.OURS, "network")
    assert played(Health(), [ours] * 30) == Health()
    opened = played(Health(), [DOWN] * 10)
    probed = seen(opened, ours, State.PENDING, NOON + timedelta(hours=1), probe=True)
    assert probed.probe_at == NOON + timedelta(hours=1, seconds=30)


def test_each_alarm_is_raised_once_for_a_spell_of_failures() -> None:
    health = played(Health(), [outcome_of(401)] * 3)
    assert health.raised == {AlarmKind.REFUSED}
    health = played(health, [DOWN] * 10, NOON + timedelta(seconds=10))
    assert health.raised == {AlarmKind.REFUSED, AlarmKind.PARKED}
    health = seen(health, DOWN, State.HELD, NOON + timedelta(hours=76))
    assert health.raised == {AlarmKind.REFUSED, AlarmKind.PARKED, AlarmKind.HELD}
    assert seen(Health(), outcome_of(410), State.HELD, NOON).raised == {AlarmKind.GONE, AlarmKind.HELD}
    assert seen(Health(), Outcome(Verdict.FORBIDDEN, "guard"), State.PENDING, NOON).raised == {
        AlarmKind.FORBIDDEN
    }
    assert played(Health(raised=frozenset({AlarmKind.REFUSED})), [GOOD]).raised == frozenset()


def test_five_days_of_only_failures_suspend_and_one_success_starts_anew() -> None:
    health = played(Health(), [DOWN, DOWN])
    assert not suspended(health, NOON + timedelta(days=5, seconds=-1))
    assert suspended(health, NOON + timedelta(days=5))
    assert not suspended(played(health, [GOOD], NOON + timedelta(days=4)), NOON + timedelta(days=9))
