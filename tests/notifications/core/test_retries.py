from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.core.notices import State
from services.notifications.core.retries import (
    BACK_OFF,
    LEAST,
    MOST_DOUBTS,
    Answer,
    Tried,
    Verdict,
    after,
    pause,
)

NOW = datetime(2026, 11, 24, 5, tzinfo=UTC)
NOTICE = UUID(int=7)
HOLD = timedelta(seconds=60)


def step(verdict, *, attempts=1, doubts=0, created_at=NOW, deferrals=0):
    return after(Answer(verdict, "x"), Tried(NOTICE, attempts, doubts, created_at, deferrals), NOW, HOLD)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (7, 7200), (40, 7200)],
)
def test_the_pauses_grow_from_seconds_to_two_hours(attempts, seconds):
    waited = pause(NOTICE, attempts).total_seconds()
    assert seconds <= waited < seconds * 1.1


@given(st.uuids(), st.integers(1, 100))
def test_a_pause_is_the_same_whenever_it_is_computed(notice, attempts):
    assert pause(notice, attempts) == pause(notice, attempts)


def test_the_pauses_of_many_notices_are_spread_out():
    assert len({pause(UUID(int=n), 3) for n in range(100)}) == 100


def test_what_the_server_took_is_sent_and_what_it_refused_is_failed():
    assert step(Verdict.ACCEPTED).state is State.SENT
    assert step(Verdict.REFUSED).state is State.FAILED


def test_a_notice_without_a_reader_ends_quietly():
    assert step(Verdict.NOBODY).state is State.SKIPPED


def test_later_means_later_for_three_days_and_then_a_person_looks():
    assert step(Verdict.DEFERRED, attempts=40, created_at=NOW - timedelta(days=2)).state is State.PENDING
    old = NOW - timedelta(days=4)
    assert step(Verdict.DEFERRED, attempts=40, deferrals=LEAST, created_at=old).state is State.FAILED


def test_after_a_long_outage_of_ours_a_server_that_greylists_is_asked_again():
    old = NOW - timedelta(days=4)
    for deferrals in range(LEAST):
        found = step(Verdict.DEFERRED, attempts=999, deferrals=deferrals, created_at=old)
        assert found.state is State.PENDING


@pytest.mark.parametrize("verdict", [Verdict.UNREACHED, Verdict.DELAYED])
def test_a_server_that_is_away_loses_nothing_however_long_it_is_away(verdict):
    found = step(verdict, attempts=999, created_at=NOW - timedelta(days=365))
    assert found.state is State.PENDING
    assert found.next_attempt_at <= NOW + timedelta(minutes=1)


def test_an_unknown_outcome_is_held_and_a_third_doubt_is_the_last():
    first = step(Verdict.UNCERTAIN)
    assert (first.state, first.doubts, first.next_attempt_at) == (State.UNKNOWN, 1, NOW + HOLD)
    tired = step(Verdict.UNCERTAIN, attempts=40)
    assert tired.next_attempt_at == NOW + HOLD, "tries while the server was away are no doubts"
    assert step(Verdict.UNCERTAIN, doubts=MOST_DOUBTS).state is State.FAILED


@pytest.mark.parametrize(("verdict", "seconds"), [(Verdict.DEFERRED, 5), (Verdict.THROTTLED, 60)])
def test_a_first_later_waits_shortly_however_long_the_server_was_away_before(verdict, seconds):
    first = step(verdict, attempts=999)
    assert first.deferrals == 1
    assert first.next_attempt_at - NOW <= timedelta(seconds=seconds * 1.1)
    tenth = step(verdict, attempts=999, deferrals=9)
    assert tenth.next_attempt_at - NOW >= BACK_OFF[-1]
    assert step(Verdict.UNREACHED, deferrals=3).deferrals == 3


def test_a_doubt_is_not_forgotten_by_a_later_refusal_to_talk():
    assert step(Verdict.UNREACHED, doubts=1).doubts == 1


def test_the_pauses_cover_the_three_days_with_few_tries():
    assert 30 < timedelta(days=3) / BACK_OFF[-1] < 40
