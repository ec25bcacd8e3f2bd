"""Calendars are loaded while all runs: limits that run move by a step that says so, once; what was decided stays."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from contracts.events import CalendarLoaded, CaseStepped
from services.cli.law import judges
from services.cli.replaying import _cases
from services.cli.verify.checking import Checker
from services.cli.verify.command import loaded
from services.routing.calendar_files import calendar_files
from services.routing.core.decide import Judge
from services.routing.rules.replaying import replay
from services.runtime.bus import Bus
from tests.cli.verify.planting import databases
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.routing.test_timers import NEVER, at_ppk, held, operator
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker
DOOR = "/v1/operator/calendars"
DECREE = '{day: 2026-12-01, decree: "SKB 3 Menteri", name: "Cuti bersama"}'
"""A working day within every limit that runs from the day of the tests on."""


def texts(version: str = "2026.2", add: str = DECREE) -> dict[str, str]:
    """The packaged calendars with one more day off."""
    files = {name: raw.decode() for name, raw in calendar_files().items()}
    days = files["workdays.yaml"]
    assert 'version: "2026.1"' in days
    assert "\nadd: []" in days
    files["workdays.yaml"] = days.replace('version: "2026.1"', f'version: "{version}"').replace(
        "\nadd: []", f"\nadd: [{add}]"
    )
    return files


def packaged() -> dict[str, str]:
    return {name: raw.decode() for name, raw in calendar_files().items()}


async def load(system: System, files: dict[str, Any], *, trial: bool = False, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {system.keys['OPERATOR']}"}
    way = ("POST", f"{DOOR}/trial") if trial else ("PUT", DOOR)
    return await system.routing.request(*way, json={"files": files, **more}, headers=headers)


def due_of(story: dict[str, Any], agency: str = "PPK") -> dict[str, Any]:
    return next(due for due in story["persons"][0]["dues"] if due["agency"] == agency)


async def test_a_new_day_off_moves_a_limit_that_runs_by_one_working_day_with_its_timers_and_says_so(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge, sweep=NEVER) as system, operator(fresh_nats) as bus:
        case_id = await at_ppk(system)
        before = await seen(system, case_id, 2)
        was = due_of(before)
        trial = (await load(system, texts(), trial=True)).json()
        assert (trial["moved"], trial["cases"], trial["next_cursor"]) == ({"PPK": 1}, [case_id], None)
        answer = await load(system, texts())
        assert (answer.status_code, answer.json()["number"]) == (200, 2)

        after = await seen(system, case_id, 3)
        now = due_of(after)
        last = date.fromisoformat(was["last_day"])
        expected = last + timedelta(days=3 if last.weekday() == 4 else 1)
        assert date.fromisoformat(now["last_day"]) == expected
        (said,) = [entry for entry in after["timeline"] if "RECKON" in entry["what"]]
        assert said["who"] == "NETRAL"
        assert f"{was['last_day']} -> {now['last_day']}" in said["why"]
        assert answer.json()["workdays"]["digest"] in said["why"]
        other = ("step", "timeline", "persons")
        assert {k: v for k, v in after.items() if k not in other} == {
            k: v for k, v in before.items() if k not in other
        }
        person = {k: v for k, v in after["persons"][0].items() if k != "dues"}
        assert person == {k: v for k, v in before["persons"][0].items() if k != "dues"}

        async def moved() -> bool:
            there = await held(bus, f"timer.{case_id}.p1.PPK.>")
            return {name: when for name, when in there.items() if when} == {
                f"p1.PPK.{now['last_day']}.{level}": f"@at {now[at][:19]}Z"
                for level, at in (("REMINDER", "remind_at"), ("OVERDUE", "over_at"))
            }

        await until(moved)


async def test_the_independent_checker_finds_nothing_wrong_with_moved_limits(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge, sweep=NEVER) as system, operator(fresh_nats) as bus:
        case_id = await at_ppk(system)
        await load(system, texts())
        await seen(system, case_id, 3)
        checker = Checker(bus, databases(fresh_nats.data_dir), await loaded(bus), patience=5)
        found = [finding async for finding in checker.findings(system.clock())]
        assert [str(one) for one in found if one.kind not in ("behind", "no-database")] == []


async def test_a_recount_is_no_day_of_handling_and_the_next_step_counts_by_the_new_calendar(
    fresh_nats: Broker, judge: Judge
) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock, sweep=NEVER) as system:
        case_id = await at_ppk(system)
        clock.at += timedelta(days=1)
        await load(system, texts())
        now = due_of(await seen(system, case_id, 3))
        bus = await Bus.connect(fresh_nats.settings, "routing")
        steps = [await bus.read(f"cases.{case_id}.step.{n}") for n in (2, 3)]
        await bus.close()
        said = [CaseStepped.model_validate_json(raw or b"").data for raw in steps]
        assert said[1].handled_on == said[0].handled_on
        assert said[1].rulebook == said[0].rulebook
        noted = await say(system, case_id, "PPK", to="moves", move="ACKNOWLEDGE")
        assert noted.status_code == 200, noted.text
        assert due_of(await seen(system, case_id, 4)) == now


async def test_loading_the_same_twice_changes_nothing_and_a_second_worker_says_nothing_again(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with (
        in_process(fresh_nats, judge=judge, sweep=NEVER) as one,
        in_process(fresh_nats, judge=judge) as two,
    ):
        case_id = await at_ppk(one)
        await load(one, texts())
        await seen(one, case_id, 3)

        async def followed() -> bool:
            return bool((await two.get(DOOR, "OPERATOR")).json()["number"] == 2)

        await until(followed)
        assert (await load(two, texts())).json()["number"] == 2
        assert (await load(two, texts(), trial=True)).json()["moved"] == {}
        assert (await seen(one, case_id, 3))["step"] == 3
    async with in_process(fresh_nats, judge=judge) as again:
        assert (await again.get(DOOR, "OPERATOR")).json()["number"] == 2
        await opened(again, "k2", person__name="Orang 2")
        assert (await seen(again, case_id, 3))["step"] == 3


async def test_going_back_moves_the_limits_back(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge, sweep=NEVER) as system:
        case_id = await at_ppk(system)
        was = due_of(await seen(system, case_id, 2))
        await load(system, texts())
        await seen(system, case_id, 3)
        assert (await load(system, packaged())).json()["number"] == 3
        assert due_of(await seen(system, case_id, 4)) == was


async def test_a_limit_that_is_over_stays_as_it_was_counted(fresh_nats: Broker, judge: Judge) -> None:
    clock = Clock()
    async with in_process(fresh_nats, judge=judge, clock=clock, sweep=NEVER) as system:
        await at_ppk(system)
        clock.at += timedelta(days=60)
        assert (await load(system, texts(), trial=True)).json()["moved"] == {}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (texts(add="{day: 2026-02-30}"), "workdays.yaml:10:7: 'decree' is missing; add it"),
        ({"workdays.yaml": "version: 1"}, "elections.yaml: is missing; calendars have"),
        ({**texts(), "more.yaml": ""}, "more.yaml: is no file of calendars"),
        (texts(version="2026.1"), "workdays.yaml: its version and that of holidays.csv"),
    ],
)
async def test_broken_calendars_are_refused_with_every_fault_and_the_old_ones_go_on(
    fresh_nats: Broker, judge: Judge, files: dict[str, str], says: str
) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        answer = await load(system, files)
        assert answer.status_code == 422
        assert answer.json()["faults"][0].startswith(says)
        assert (await system.get(DOOR, "OPERATOR")).json()["number"] == 1


async def test_of_two_calendars_at_the_same_moment_one_wins_and_the_other_is_told(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as one, in_process(fresh_nats, judge=judge) as other:
        rival = texts("2026.3", DECREE.replace("12-01", "12-02"))
        answers = await asyncio.gather(load(one, texts()), load(other, rival))
        assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 200])
        numbers = [answer.json().get("number") for answer in answers if answer.status_code == 200]
        assert len(set(numbers)) == len(numbers)


async def test_decisions_before_and_after_are_reproduced_byte_for_byte(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge) as system, operator(fresh_nats) as bus:
        first = await opened(system)
        loaded = await load(system, texts())
        assert loaded.status_code == 200
        second = await opened(system, "k2", person__name="Orang 2")
        known = await judges(bus.js, judge)
        stored = [case async for case in _cases(bus.js)]
        digests = {case.case_id: case.decision.calendar.digest for case in stored}
        assert digests == {first: judge.calendar.digest, second: loaded.json()["calendar"]["digest"]}

        def made(decision: Any) -> Judge:
            found = known.of(decision.rulebook.digest, decision.calendar.digest)
            assert found is not None
            return found

        tally = replay(stored, made)
        assert (tally.cases, tally.same) == (2, 2)
        event = CalendarLoaded.model_validate_json(await bus.read("calendars.2") or b"")
        assert event.data.files == texts()


async def test_nobody_says_a_recount_but_netral(fresh_nats: Broker, judge: Judge) -> None:
    async with in_process(fresh_nats, judge=judge) as system:
        case_id = await opened(system)
        for agency in ("BAWASLU", "OPERATOR"):
            refused = await say(system, case_id, agency, to="moves", move="RECKON")
            assert refused.status_code == 409, refused.text
            assert "RECKON is said by Netral itself" in refused.text
