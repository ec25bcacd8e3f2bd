"""The stage of a day: every cut of every election from both sides, and what a silent calendar answers."""

from datetime import date, timedelta

import pytest

from contracts.codes import ElectionKind, ElectionOffice, Stage
from services.routing.calendar_files import load_calendars
from services.routing.core.stages import Calendars, Election, Span, StageAnswer

PEMILU, PILKADA = ElectionKind
CALENDARS, _ = load_calendars()
MAINS = [election for election in CALENDARS.elections if not election.psu]
JAKARTA, SERANG, PATI = "kemendagri:31.71", "kemendagri:36.04", "kemendagri:33.18"
DAY = timedelta(days=1)


def ask(
    kind: ElectionKind, year: int, day: str, office: ElectionOffice | None = None, **more: object
) -> StageAnswer:
    psu, region = bool(more.get("psu", False)), str(more.get("region", JAKARTA))
    return CALENDARS.stage_of(kind, year, office, psu, region, date.fromisoformat(day))


@pytest.mark.parametrize("election", MAINS, ids=lambda e: f"{e.kind} {e.year} {'/'.join(sorted(e.offices))}")
def test_each_stage_begins_and_ends_on_its_day(election: Election) -> None:
    assert election.designation
    assert election.campaign
    assert election.quiet
    office = min(election.offices, default=None)
    cuts = [
        (election.designation, Stage.BEFORE_DESIGNATION, Stage.AFTER_DESIGNATION),
        (election.campaign.first, Stage.AFTER_DESIGNATION, Stage.CAMPAIGN),
        (election.campaign.last + DAY, Stage.CAMPAIGN, Stage.QUIET),
        (election.quiet.first, Stage.CAMPAIGN, Stage.QUIET),
        (election.polling, Stage.QUIET, Stage.POLLING),
        (election.polling + DAY, Stage.POLLING, Stage.AFTER_POLLING),
    ]
    for day, before, after in cuts:
        for when, stage in ((day - DAY, before), (day, after)):
            answer = CALENDARS.stage_of(election.kind, election.year, office, False, JAKARTA, when)
            assert (answer.stage, answer.question) == (stage, None), when


@pytest.mark.parametrize(
    ("kind", "year", "day", "stage"),
    [
        (PILKADA, 2018, "2018-02-12", Stage.AFTER_DESIGNATION),
        (PILKADA, 2018, "2018-06-23", Stage.CAMPAIGN),
        (PEMILU, 2019, "2019-04-14", Stage.QUIET),
        (PEMILU, 2019, "2018-09-19", Stage.BEFORE_DESIGNATION),
        (PILKADA, 2020, "2020-09-23", Stage.AFTER_DESIGNATION),
        (PILKADA, 2020, "2020-12-09", Stage.POLLING),
        (PEMILU, 2024, "2023-11-28", Stage.CAMPAIGN),
        (PEMILU, 2024, "2024-02-15", Stage.AFTER_POLLING),
        (PILKADA, 2024, "2024-09-21", Stage.BEFORE_DESIGNATION),
        (PILKADA, 2024, "2024-11-24", Stage.QUIET),
    ],
)
def test_the_printed_days_hold(kind: ElectionKind, year: int, day: str, stage: Stage) -> None:
    assert ask(kind, year, day).stage is stage


def test_the_declaration_of_november_2023_came_after_the_presidential_designation() -> None:
    assert ask(PEMILU, 2024, "2023-11-19", ElectionOffice.PRESIDEN).stage is Stage.AFTER_DESIGNATION


def test_the_offices_of_one_election_have_their_own_designation() -> None:
    assert ask(PEMILU, 2024, "2023-11-03", ElectionOffice.DPR).stage is Stage.AFTER_DESIGNATION
    assert ask(PEMILU, 2024, "2023-11-12", ElectionOffice.PRESIDEN).stage is Stage.BEFORE_DESIGNATION


def test_an_unknown_office_gives_the_earlier_stage_and_a_question_where_the_offices_differ() -> None:
    answer = ask(PEMILU, 2024, "2023-11-10")
    assert answer.stage is Stage.BEFORE_DESIGNATION
    assert "jabatan" in str(answer.question)
    assert ask(PEMILU, 2024, "2023-11-02").question is None
    assert ask(PEMILU, 2024, "2023-11-13").question is None


@pytest.mark.parametrize(("kind", "year"), [(PEMILU, 2014), (PILKADA, 2017), (PEMILU, 2029), (PILKADA, 2031)])
def test_an_election_without_a_calendar_is_outside_with_a_question(kind: ElectionKind, year: int) -> None:
    answer = ask(kind, year, "2024-10-22")
    assert answer.stage is Stage.OUTSIDE
    assert answer.question is not None
    assert not answer.in_rotation_window


def test_an_awaited_election_says_that_its_calendar_is_not_set() -> None:
    assert "belum ditetapkan" in str(ask(PEMILU, 2029, "2028-06-01").question)


def test_an_office_the_election_does_not_fill_is_outside() -> None:
    assert ask(PEMILU, 2024, "2024-01-05", ElectionOffice.BUPATI).stage is Stage.OUTSIDE


def test_in_a_revote_the_main_calendar_holds_to_its_polling_day() -> None:
    assert ask(PILKADA, 2024, "2024-11-25", psu=True, region=PATI) == ask(
        PILKADA, 2024, "2024-11-25", region=PATI
    )
    assert ask(PILKADA, 2024, "2024-11-27", psu=True, region=PATI).stage is Stage.POLLING


def test_in_a_revote_without_a_calendar_the_designation_stands_and_a_person_is_asked() -> None:
    answer = ask(PILKADA, 2024, "2024-11-28", psu=True, region=PATI)
    assert answer.stage is Stage.AFTER_DESIGNATION
    assert "pemungutan suara ulang" in str(answer.question)
    assert answer.in_rotation_window


@pytest.mark.parametrize(
    ("day", "stage"),
    [
        ("2024-11-28", Stage.AFTER_DESIGNATION),
        ("2025-04-18", Stage.AFTER_DESIGNATION),
        ("2025-04-19", Stage.POLLING),
        ("2025-04-20", Stage.AFTER_POLLING),
    ],
)
def test_a_region_with_its_own_revote_calendar_follows_it(day: str, stage: Stage) -> None:
    answer = ask(PILKADA, 2024, day, ElectionOffice.BUPATI, psu=True, region=SERANG)
    assert answer.stage is stage
    assert "masa tenang" in str(answer.question)


def test_the_revote_of_a_region_says_nothing_about_reports_that_are_not_of_a_revote() -> None:
    assert ask(PILKADA, 2024, "2025-04-19", ElectionOffice.BUPATI, region=SERANG).stage is Stage.AFTER_POLLING


@pytest.mark.parametrize(
    ("year", "day", "inside"),
    [
        (2024, "2024-03-21", False),
        (2024, "2024-03-22", True),
        (2024, "2025-01-15", True),
        (2020, "2020-03-22", False),
        (2020, "2020-03-23", True),
        (2018, "2017-08-11", False),
        (2018, "2017-08-12", True),
    ],
)
def test_officials_may_not_be_moved_from_six_months_before_designation(
    year: int, day: str, inside: bool
) -> None:
    assert ask(PILKADA, year, day).in_rotation_window is inside


def _election(polling: date, **more: frozenset[str]) -> Election:
    return Election(
        kind=PILKADA,
        year=2024,
        offices=frozenset(),
        regions=more.get("regions", frozenset()),
        psu=False,
        designation=date(2024, 8, 31),
        campaign=Span(date(2024, 9, 25), polling - 4 * DAY),
        quiet=Span(polling - 3 * DAY, polling - DAY),
        polling=polling,
    )


def test_six_months_before_the_end_of_august_is_the_end_of_february() -> None:
    calendars = Calendars("1", "sha256:0", (_election(date(2024, 11, 27)),))
    days = (date(2024, 2, 28), date(2024, 2, 29))
    found = [calendars.stage_of(PILKADA, 2024, None, False, PATI, day).in_rotation_window for day in days]
    assert found == [False, True]


def test_the_calendar_nearest_to_the_place_wins() -> None:
    country = _election(date(2024, 11, 27))
    province = _election(date(2024, 12, 4), regions=frozenset({"kemendagri:33"}))
    regency = _election(date(2024, 12, 11), regions=frozenset({PATI}))
    calendars = Calendars("1", "sha256:0", (country, province, regency))
    for place, polling in (
        (PATI, regency),
        ("kemendagri:33.20", province),
        ("kemendagri:33", province),
        (JAKARTA, country),
    ):
        assert calendars.stage_of(PILKADA, 2024, None, False, place, polling.polling).stage is Stage.POLLING
