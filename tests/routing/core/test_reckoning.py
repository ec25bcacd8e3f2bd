"""A recount by another calendar: limits and alarms that run move, nothing else does, and what is over stays."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from contracts.codes import DeadlineUnit
from contracts.door import read_report
from contracts.facts import facts_of
from contracts.steps import Link, Said
from services.routing.core.decide import Judge
from services.routing.core.fanout import decided
from services.routing.core.life import Life, Step, life_of
from services.routing.core.reckoning import Counted, concerns, reckoned, recount
from services.routing.core.workdays import WorkCalendar
from tests.builders import TODAY, a_report
from tests.routing.core.test_fanout import accepted

START = datetime(2026, 11, 24, 3, tzinfo=UTC)
FACTS = facts_of(read_report(a_report(), TODAY), TODAY)
Spoken = tuple[int, str, dict[str, str]]
AT_PPK: tuple[Spoken, ...] = (
    (0, "BAWASLU", {"event": "STUDY_CONCLUDED", "result": "BREACH"}),
    (0, "BKN", {"event": "SUPERVISOR_CONCLUDED", "result": "RECOMMENDED"}),
)
REFUSED: Spoken = (0, "BAWASLU", {"event": "REFUSE", "to": "BKN"})
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
    life = lived(judge, REFUSED)
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


def test_nothing_is_counted_again_by_the_same_calendar(judge: Judge) -> None:
    for life in (lived(judge, *AT_PPK), lived(judge, REFUSED)):
        assert not concerns(life.matters[0], FACTS.region, judge.workdays, START)


def test_one_limit_by_another_calendar_is_enough_for_a_recount(judge: Judge) -> None:
    life = lived(judge, *AT_PPK)
    (due,) = life.matters[0].dues
    newer = due.model_copy(update={"calendar": "another"})
    for dues in ((due, newer), (newer, due)):
        matter = life.matters[0].model_copy(update={"dues": dues})
        assert concerns(matter, FACTS.region, closed_on(judge), START)


def test_an_alarm_that_is_over_or_comes_out_the_same_is_not_moved(judge: Judge) -> None:
    life, workdays = lived(judge, REFUSED), closed_on(judge, date(2026, 11, 25))
    alarm = life.matters[0].alarm
    assert alarm is not None
    assert not concerns(life.matters[0], FACTS.region, workdays, alarm.at)
    assert [limit for limit in counted(life, workdays, alarm.at).moved if limit.agency == "OPERATOR"] == []
    second = timedelta(seconds=1)
    assert concerns(life.matters[0], FACTS.region, workdays, alarm.at - second)
    assert [limit.agency for limit in counted(life, workdays, alarm.at - second).moved] == ["OPERATOR"]
    assert counted(life, closed_on(judge, date(2027, 6, 1))).moved == ()


def test_a_record_with_other_limits_than_its_parts_would_give_stays_as_it_was_counted(judge: Judge) -> None:
    life = lived(judge, *AT_PPK)
    (due,) = life.matters[0].dues
    other = due.model_copy(update={"office": "kabkota:52.71"})
    kept = life.matters[0].model_copy(update={"dues": (other,)})
    assert counted(life._replace(matters=(kept,)), closed_on(judge, date(2026, 12, 1))).moved == ()


def test_the_recount_is_the_next_step_with_the_law_the_day_and_the_link_of_the_one_before(
    judge: Judge,
) -> None:
    life, workdays, on = lived(judge, *AT_PPK), closed_on(judge, date(2026, 12, 1)), START.date()
    record = decided(accepted(), life.decision, START)
    found = counted(life, workdays)
    first = reckoned(record, None, found, workdays, START, on).data
    assert (first.number, first.rulebook, first.handled_on, first.link) == (
        1,
        life.decision.rulebook,
        life.decision.handled_on,
        None,
    )
    assert (first.said.moved, first.persons) == (found.moved, found.matters)
    link = Link(to=UUID(int=1), meant=UUID(int=1))
    rulebook = life.decision.rulebook.model_copy(update={"version": "another"})
    spoken = {"number": 6, "rulebook": rulebook, "handled_on": TODAY, "link": link}
    last = reckoned(record, None, found, workdays, START, on)
    last = last.model_copy(update={"data": first.model_copy(update=spoken)})
    again = reckoned(record, last, found, workdays, START, on)
    assert {name: getattr(again.data, name) for name in spoken} == {**spoken, "number": 7}
    assert again.id != last.id
