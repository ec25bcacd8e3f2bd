"""A recount by another calendar: limits and alarms that run move, nothing else does, and what is over stays."""

from datetime import UTC, date, datetime, timedelta

from contracts.codes import DeadlineUnit
from contracts.door import read_report
from contracts.facts import facts_of
from contracts.steps import Said
from services.routing.core.decide import Judge
from services.routing.core.life import Life, Step, life_of
from services.routing.core.reckoning import Counted, concerns, recount
from services.routing.core.workdays import WorkCalendar
from tests.builders import TODAY, a_report

START = datetime(2026, 11, 24, 3, tzinfo=UTC)
FACTS = facts_of(read_report(a_report(), TODAY), TODAY)
Spoken = tuple[int, str, dict[str, str]]
AT_PPK: tuple[Spoken, ...] = (
    (0, "BAWASLU", {"event": "STUDY_CONCLUDED", "result": "BREACH"}),
    (0, "BKN", {"event": "SUPERVISOR_CONCLUDED", "result": "RECOMMENDED"}),
)
RETURNED: tuple[Spoken, ...] = (
    (2, "PPK", {"event": "RETURN", "to": "BKN"}),
    (6, "BKN", {"event": "DONE"}),
)


def lived(judge: Judge, *said: Spoken) -> Life:
    """The case after what was said so many days after its start."""
    steps = [
        Step(
            n,
            START + timedelta(days=day),
            by,
            None,
            Said.model_validate({**words, "on": (START + timedelta(days=day)).date()}),
        )
        for n, (day, by, words) in enumerate(said, 1)
    ]
    return life_of(FACTS, TODAY, [step.at.date() for step in steps], steps, judge)


def closed_on(judge: Judge, *days: date) -> WorkCalendar:
    old = judge.workdays
    return WorkCalendar("another", "another", old.days_off | set(days), old.decreed_years)


def counted(life: Life, workdays: WorkCalendar, now: datetime = START) -> Counted:
    return recount(life.matters, FACTS, life, TODAY, workdays, now)


def test_a_new_day_off_moves_the_limit_and_nothing_else(judge: Judge) -> None:
    life = lived(judge, *AT_PPK)
    after, moved = counted(life, closed_on(judge, date(2026, 12, 1)))
    (limit,) = moved
    assert (limit.person, limit.agency) == ("p1", "PPK")
    assert judge.workdays.between(limit.was, limit.now, DeadlineUnit.WORKING_DAY) == 1
    assert [m.model_copy(update={"dues": ()}) for m in after] == [
        m.model_copy(update={"dues": ()}) for m in life.matters
    ]
    assert after[0].dues[0].calendar == "another"


def test_a_day_off_beyond_the_limit_changes_nothing_and_the_record_stays_as_it_is(judge: Judge) -> None:
    life = lived(judge, *AT_PPK)
    assert counted(life, closed_on(judge, date(2027, 6, 1))) == Counted(life.matters, ())


def test_days_on_which_the_file_was_returned_are_not_counted_by_the_new_calendar_either(
    judge: Judge,
) -> None:
    life = lived(judge, *AT_PPK, *RETURNED)
    assert [due.agency for due in life.matters[0].dues] == ["PPK"]
    within = counted(life, closed_on(judge, date(2026, 11, 27)))
    assert within.moved == (), "the clock stood still on that day"
    assert len(counted(life, closed_on(judge, date(2026, 12, 8))).moved) == 1


def test_a_limit_that_is_over_is_not_moved(judge: Judge) -> None:
    life = lived(judge, *AT_PPK)
    over = life.matters[0].dues[0].over_at
    workdays = closed_on(judge, date(2026, 12, 1))
    assert counted(life, workdays, over).moved == ()
    assert not concerns(life.matters[0], FACTS.region, workdays, over)
    assert concerns(life.matters[0], FACTS.region, workdays, over - timedelta(seconds=1))


def test_the_alarm_of_the_operator_s_queue_moves_too(judge: Judge) -> None:
    life = lived(judge, (0, "BAWASLU", {"event": "REFUSE", "to": "BKN"}))
    workdays = closed_on(judge, date(2026, 11, 25))
    assert concerns(life.matters[0], FACTS.region, workdays, START)
    after, moved = counted(life, workdays)
    assert [(limit.agency, limit.was, limit.now) for limit in moved if limit.agency == "OPERATOR"] == [
        ("OPERATOR", date(2026, 11, 27), date(2026, 11, 30))
    ]
    alarm = after[0].alarm
    assert alarm is not None
    assert alarm.last_day == date(2026, 11, 30)


def test_the_step_that_says_so_is_no_day_of_handling_and_no_word_about_a_person(judge: Judge) -> None:
    life = lived(judge, *AT_PPK)
    assert lived(judge, *AT_PPK, (5, "NETRAL", {"event": "RECKON"})) == life
