"""Death within a recount by another calendar, or within matching: the next process says the rest, and nothing twice."""

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import nats
import pytest
from pydantic import TypeAdapter

from contracts.events import AnyEvent, CaseStepped, ReportAccepted
from contracts.matches import ReportResembles
from services.intake.match_index import MatchIndex
from services.intake.matcher import Matcher
from services.intake.vault import Vault
from services.routing.core.decide import Judge
from services.routing.core.workdays import WorkCalendar
from services.routing.matter_queries import MatterQueries
from services.routing.reckoning import Reckoning
from services.routing.views import Entry, Views
from services.runtime.bus import Bus
from services.runtime.connecting import connection
from services.runtime.database import open_engine
from services.runtime.reading import page_of
from tests.cli.verify.planting import a_log
from tests.conftest import Broker
from tests.flow.crashing import Fate, MortalClient, MortalEngine, lived
from tests.flow.test_crash_points import IMMORTAL, START, Life, living
from tests.intake.test_matcher import KEY, MOMENT, Office, named
from tests.running import Clock

pytestmark = [
    pytest.mark.broker,
    pytest.mark.thorough,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("buried"),
]
LEAVE = date(2026, 12, 1)


def closed_on(judge: Judge, day: date) -> Judge:
    old = judge.workdays
    return replace(judge, workdays=WorkCalendar("leave", "leave", old.days_off | {day}, old.decreed_years))


async def at_ppk(life: Life, intake: Bus, judge: Judge, name: str) -> UUID:
    """A case whose limit of the PPK runs, counted by the calendar of `judge`."""
    accepted = ReportAccepted.model_validate(a_log(judge, name)[0]["event"])
    case_id = accepted.data.case_id
    await intake.tell([accepted])
    await life.route(accepted)
    await life.say(case_id, "BAWASLU", "STUDY_CONCLUDED", "BREACH")
    await life.say(case_id, "BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED")
    await keep(life, case_id)
    return case_id


async def keep(life: Life, case_id: UUID) -> None:
    """The read model takes what the case is now."""
    stored = await page_of(life.bus, "CASES", 1, subjects=f"cases.{case_id}.>")
    events = TypeAdapter[AnyEvent](AnyEvent)
    await life.views.keep_all([Entry("CASES", one.seq, events.validate_json(one.body)) for one in stored])


def a_pass(life: Life) -> Coroutine[Any, Any, int]:
    queries = MatterQueries(life.views.engine)
    return Reckoning(life.bus, life.casebook, life.law, queries, life.clock, 600.0).run()


async def test_death_at_every_use_of_a_recount_leaves_the_rest_to_the_next_process(
    fresh_nats: Broker, judge: Judge
) -> None:
    intake = await Bus.connect(fresh_nats.settings, "operator")
    views = Views(open_engine(f"sqlite+aiosqlite:///{fresh_nats.data_dir}/routing.db"))
    await views.open()
    changed, at, whole = closed_on(judge, LEAVE), 0, False
    clock, ever = Clock(START), Fate(IMMORTAL)
    async with (
        living(fresh_nats, judge, clock, ever) as before,
        living(fresh_nats, changed, clock, ever) as after,
    ):
        while not whole:
            at += 1
            cases = [await at_ppk(before, intake, judge, f"recount-{at}-{n}") for n in range(2)]
            fate = Fate(at)
            async with living(fresh_nats, changed, clock, fate) as doomed:
                whole = await lived(partial(a_pass, doomed), fate)
            await a_pass(after)
            for case_id in cases:
                steps = await page_of(intake, "CASES", 1, subjects=f"cases.{case_id}.step.*")
                last = CaseStepped.model_validate_json(steps[-1].body).data
                assert (len(steps), last.said.event) == (3, "RECKON"), f"after death at use {at}"
                assert {due.calendar for due in last.persons[0].dues} == {"leave"}
                await keep(after, case_id)
            assert await a_pass(after) == 0
    assert at > 5, "a recount uses broker and database too rarely to prove anything"
    await intake.close()
    await views.engine.dispose()


@asynccontextmanager
async def matching(broker: Broker, office: Office, fate: Fate) -> AsyncIterator[Any]:
    """The handler of one process over the vault of `office`; it gives a message as the durable would."""
    nc = await nats.connect(**connection(broker.settings, "intake"))
    bus = Bus(MortalClient(nc, fate))  # type: ignore[arg-type]
    engine = open_engine(str(office.engine.url))
    vault = Vault(engine)
    await vault.start()
    await engine.dispose()  # what was connected until now is not watched
    watched = MortalEngine(engine, fate)
    matcher = Matcher(vault, MatchIndex(engine), office.sealer, KEY, lambda: MOMENT)
    matcher.bus = bus
    yield lambda accepted: matcher.handle([SimpleNamespace(data=accepted.model_dump_json(by_alias=True))])  # type: ignore[list-item]
    await bus.close()
    await nc.close()
    await watched.bury()
    await vault.close()


async def test_death_at_every_use_of_matching_is_made_good_by_the_redelivery_and_says_one_thing(
    fresh_nats: Broker,
) -> None:
    reader = await Bus.connect(fresh_nats.settings, "operator")
    office = Office(open_engine(f"sqlite+aiosqlite:///{fresh_nats.data_dir}/vault.db"))
    await office.vault.start()
    at, whole = 0, False
    while not whole:
        at += 1
        day = str(date(2024, 9, 30) - timedelta(days=5 * at))
        where = {"incident__occurred_on": day, "evidence": []}
        first = (await office.send(named("Kanari Satu", **where))).accepted
        second = await office.keep(named("Kanari Satoe", **where))
        fate = Fate(at)
        async with matching(fresh_nats, office, fate) as doomed:
            whole = await lived(partial(doomed, second), fate)
        async with matching(fresh_nats, office, Fate(IMMORTAL)) as healthy:
            await healthy(second)
            await healthy(second)
        subject = f"reports.{second.data.report_id}.resembles"
        (told,) = await page_of(reader, "REPORTS", 1, subjects=subject)
        (other,) = ReportResembles.model_validate_json(told.body).data.others
        assert other.case_id == first.data.case_id
    assert at > 2, "matching uses broker and database too rarely to prove anything"
    await office.vault.close()
    await reader.close()
