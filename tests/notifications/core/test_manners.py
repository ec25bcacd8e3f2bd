from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import Agency
from contracts.directory import WHOLE, Digest, Directory, Place
from services.notifications.core.manners import Manner, manner_of, read_by, when
from services.notifications.core.matrix import matrix
from services.notifications.preview import examples
from tests.notifications.offices import a_term

LETTERS = examples(matrix())
NOW = datetime(2026, 11, 24, 5, 20, tzinfo=UTC)
"""13.20 in Sumbawa."""


def plan(letter, manner=None, now=NOW, *, recent=0, burst=50, **changed):
    notice = LETTERS[letter].model_copy(update=changed)
    return when(notice, matrix().letters[letter], manner or Manner(), now, recent=recent, burst=burst)


def test_an_office_that_chose_nothing_is_told_at_once():
    assert plan("progress").at == NOW


def test_daily_is_eight_o_clock_by_the_clock_of_the_office():
    assert plan("progress", Manner(Digest.DAILY)).at == datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
    west = plan("progress", Manner(Digest.DAILY), office="kabkota:11.01")
    assert west.at == datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
    before_dawn = datetime(2026, 11, 24, 23, 59, tzinfo=UTC)
    assert plan("progress", Manner(Digest.DAILY), before_dawn).at == datetime(2026, 11, 25, 0, 0, tzinfo=UTC)


def test_hourly_is_the_next_full_hour():
    assert plan("progress", Manner(Digest.HOURLY)).at == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def test_an_office_s_choice_and_clock_are_those_of_the_directory_on_the_day():
    place = Place(Agency.BAWASLU, "kabkota:52.04")
    directory, notice = Directory(), LETTERS["progress"]
    notice = notice.model_copy(update={"agency": place.agency, "office": place.office})
    assert manner_of(directory, notice, NOW, None) == Manner()
    now_daily = a_term(place, digest=Digest.DAILY, valid_from=date(2026, 11, 24), zone="WIT")
    directory.hear(place, 1, (a_term(place, valid_until=date(2026, 11, 23)), now_daily))
    assert manner_of(directory, notice, NOW, None) == Manner(Digest.DAILY, zone=ZoneInfo("Asia/Jayapura"))
    assert manner_of(directory, notice, NOW - timedelta(days=1), None).digest is Digest.NONE
    assert plan("progress", manner_of(directory, notice, NOW, None)).at == datetime(
        2026, 11, 24, 23, tzinfo=UTC
    )


def test_the_zone_of_a_body_is_not_that_of_an_office_it_answers_for():
    whole = Place(Agency.BAWASLU, WHOLE)
    directory = Directory()
    directory.hear(whole, 1, (a_term(whole, digest=Digest.DAILY),))
    notice = LETTERS["progress"].model_copy(update={"agency": Agency.BAWASLU, "office": "kabkota:52.04"})
    assert manner_of(directory, notice, NOW, None) == Manner(Digest.DAILY)


def test_a_notice_is_judged_by_the_office_it_names_and_by_the_one_it_reaches():
    whole = Place(Agency.KASN, WHOLE)
    directory = Directory()
    directory.hear(whole, 1, (a_term(whole, valid_until=date(2024, 8, 23), successor="BKN"),))
    notice = LETTERS["progress"].model_copy(update={"agency": Agency.KASN, "office": "prov:52"})
    assert read_by(directory, notice, NOW) == {(Agency.KASN, "prov:52"), (Agency.BKN, "prov:52")}
    assert read_by(directory, notice.model_copy(update={"agency": None}), NOW) == set()


@pytest.mark.parametrize("letter", ["offered", "overdue", "recommended", "silent"])
def test_a_duty_to_act_and_a_passed_limit_never_wait_for_a_digest(letter):
    assert plan(letter, Manner(Digest.DAILY, (time(0), time(23, 59)))).at == NOW


def test_quiet_hours_hold_what_can_wait_until_their_end():
    night = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 23.00 in Sumbawa
    quiet = Manner(quiet=(time(21), time(6)))
    assert plan("progress", quiet, night).at == datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    assert plan("progress", quiet).at == NOW
    assert plan("overdue", quiet, night).at == night


def sumbawa(hour, minute=0, *, day=24):
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Makassar"))


@pytest.mark.parametrize(
    ("quiet", "now", "at"),
    [
        ((12, 14), sumbawa(11, 59), sumbawa(11, 59)),
        ((12, 14), sumbawa(12), sumbawa(14)),
        ((12, 14), sumbawa(13, 59), sumbawa(14)),
        ((12, 14), sumbawa(14), sumbawa(14)),
        ((12, 14), sumbawa(20), sumbawa(20)),
        ((21, 6), sumbawa(20, 59), sumbawa(20, 59)),
        ((21, 6), sumbawa(21), sumbawa(6, day=25)),
        ((21, 6), sumbawa(2), sumbawa(6)),
        ((21, 6), sumbawa(6), sumbawa(6)),
    ],
)
def test_quiet_hours_begin_and_end_on_the_minute_and_may_go_over_midnight(quiet, now, at):
    assert plan("progress", Manner(quiet=(time(quiet[0]), time(quiet[1]))), now).at == at


def test_a_reporter_lives_by_the_clock_of_the_place_and_an_unknown_office_by_the_capital_s():
    morning = Manner(Digest.DAILY)
    where = {"agency": None, "office": None}
    west = LETTERS["progress"].facts.model_copy(update={"region": "kemendagri:11.01"})
    assert plan("progress", morning, **where).at == datetime(2026, 11, 25, 0, tzinfo=UTC)
    assert plan("progress", morning, **where, facts=west).at == datetime(2026, 11, 25, 1, tzinfo=UTC)
    assert plan("progress", morning, office="kabkota:99.99").at == datetime(2026, 11, 25, 1, tzinfo=UTC)


def test_a_burst_becomes_one_digest_at_its_end():
    assert plan("offered", recent=49).slot is None
    burst = plan("offered", recent=50)
    assert (burst.at, burst.slot) == (
        datetime(2026, 11, 24, 5, 30, tzinfo=UTC),
        "burst/2026-11-24T05:30:00+00:00",
    )
    assert plan("overdue", recent=50).slot is None, "urgent letters are never gathered"
    assert plan("offered", recent=5000, burst=0).slot is None


def test_a_central_office_lives_by_the_clock_of_the_capital():
    found = plan("progress", Manner(Digest.DAILY), agency=Agency.BKN, office="pusat")
    assert found.at == datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
