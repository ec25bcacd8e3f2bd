"""Counters become rates and percentiles."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.ops.core.rates import quantile, rates, red, spark, tried_in_vain
from services.ops.core.snapshot import Snapshot

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def looks(*totals):
    return [Snapshot(NOW + timedelta(seconds=5 * n), totals=t) for n, t in enumerate(totals)]


def test_a_rate_is_what_came_between_two_looks():
    past = looks({'x{a="1"}': 10.0}, {'x{a="1"}': 20.0, 'x{a="2"}': 5.0}, {'x{a="1"}': 20.0, 'x{a="2"}': 5.0})
    assert rates(past, "x") == [3.0, 0.0]


def test_a_service_that_began_anew_counts_from_nothing():
    assert rates(looks({"x{}": 100.0}, {"x{}": 10.0}), "x") == [2.0]


def mails(**outcomes):
    return {
        f'netral_mail_attempts_total{{netral_outcome="{name}"}}': float(n) for name, n in outcomes.items()
    }


def test_tries_in_vain_are_counted_since_the_last_mail_that_left():
    began = mails(SENT=1, PENDING=9), mails(SENT=2, PENDING=10), mails(SENT=2, PENDING=13, SKIPPED=80)
    assert tried_in_vain(looks(*began)) == 3
    assert tried_in_vain(looks(*began, mails(SENT=3, PENDING=13, SKIPPED=80))) == 0
    assert tried_in_vain(looks({}, mails(UNKNOWN=1, FAILED=2))) == 3


def test_red_tells_rate_errors_and_percentiles_of_each_route():
    series = {
        'd_count{error_type="",http_route="/a"}': 30.0,
        'd_count{error_type="500",http_route="/a"}': 10.0,
        'd_bucket{error_type="",http_route="/a",le="0.1"}': 20.0,
        'd_bucket{error_type="",http_route="/a",le="+Inf"}': 40.0,
        'd_count{error_type="",http_route="/quiet"}': 0.0,
    }
    [row] = red(looks({}, series), "d", "http_route", 'error_type="5')
    assert (row.what, row.rate, row.errors, row.p50, row.p99) == ("/a", 8.0, 0.25, 0.1, 0.1)


def test_what_is_timed_in_groups_is_counted_one_by_one():
    series = {
        'd_count{by="a",outcome="handled"}': 2.0,
        'd_bucket{by="a",outcome="handled",le="0.1"}': 2.0,
        'n_total{by="a",outcome="handled"}': 30.0,
        'n_total{by="a",outcome="parked"}': 10.0,
    }
    [row] = red(looks({}, series), "d", "by", "parked", "n_total")
    assert (row.what, row.rate, row.errors, row.p99) == ("a", 8.0, 0.25, pytest.approx(0.099))


@pytest.mark.parametrize(("share", "value"), [(0.5, 0.15), (0.25, 0.05), (1.0, 0.2)])
def test_a_quantile_lies_inside_its_bucket(share, value):
    assert quantile({0.1: 10, 0.2: 20, float("inf"): 20}, share) == pytest.approx(value, abs=0.051)


def test_nothing_measured_has_no_quantile():
    assert quantile({}, 0.5) is None
    assert quantile({0.1: 0, float("inf"): 0}, 0.5) is None


def test_the_highest_value_touches_the_top():
    assert spark([0, 1]).split() == ["0.0,40.0", "240.0,0.0"]
    assert spark([1]) == ""


def test_one_look_alone_tells_no_rate():
    assert red([replace(looks({})[0])], "d", "x", "y") == []
