"""A process that dies at any use of broker or database, between taking work and acknowledging it, loses nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import nats
import pytest
from pydantic import TypeAdapter

from contracts.events import AnyEvent, CaseDecided, CaseStepped, ReportAccepted
from contracts.steps import Said
from services.cli.verify.checking import Checker, Databases
from services.cli.verify.days import packaged
from services.routing.calendar_files import HERE
from services.routing.casebook import Casebook
from services.routing.core.decide import Judge
from services.routing.handlers import open_case
from services.routing.law import Law
from services.routing.timekeeping import Timekeeping
from services.routing.timer_queries import TimerQueries
from services.routing.timers import Firing
from services.routing.views import Entry, Views
from services.routing.words import Words
from services.runtime.bus import Bus
from services.runtime.connecting import connection
from services.runtime.database import open_engine
from services.runtime.reading import page_of
from tests.cli.verify.planting import a_log
from tests.conftest import Broker
from tests.flow.crashing import Fate, MortalClient, MortalEngine, lived
from tests.running import Clock

pytestmark = [
    pytest.mark.broker,
    pytest.mark.thorough,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("buried"),
]
START = datetime(2026, 11, 24, 3, tzinfo=UTC)
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
IMMORTAL = 10**9


@dataclass
class Life:
    """What one process of routing holds between its start and its death."""

    bus: Bus
    law: Law
    clock: Clock
    casebook: Casebook
    views: Views
    time: Timekeeping
    queries: TimerQueries

    async def route(self, accepted: ReportAccepted) -> None:
        await open_case(accepted, self.law, self.bus, self.clock)

    async def project(self, case_id: UUID) -> None:
        """Every event of the case as its durable would deliver it, again after a death."""
        for stored in await page_of(self.bus, "CASES", 1, subjects=f"cases.{case_id}.>"):
            event = _ANY.validate_json(stored.body)
            await self.views.keep_all([Entry("CASES", stored.seq, event)])
            if isinstance(event, CaseDecided | CaseStepped):
                await self.time.timers.follow(event, first=False)

    async def say(self, case_id: UUID, by: str, event: str, result: str) -> None:
        said = Said.model_validate({"event": event, "result": result, "on": self.clock().date()})
        await self.casebook.say(case_id, said, by, None, {})

    async def fire(self, case_id: UUID) -> None:
        """Every timer of the case whose time has come."""
        _, rows = await self.queries.running(str(case_id))
        for row in rows:
            if row["at"] <= self.clock():
                await self.time.limits.speak(Firing.of(row))


@asynccontextmanager
async def living(broker: Broker, judge: Judge, clock: Clock, fate: Fate) -> AsyncIterator[Life]:
    nc = await nats.connect(**connection(broker.settings, "routing"))
    bus = Bus(MortalClient(nc, fate))  # type: ignore[arg-type]
    watched = MortalEngine(open_engine(f"sqlite+aiosqlite:///{broker.data_dir}/routing.db"), fate)
    law, views = Law(judge, clock), Views(watched.engine)
    casebook = Casebook(bus, law, clock, Words(broker.settings.secret("case.key")))
    time = Timekeeping(bus, casebook, watched.engine, clock, 600.0)
    yield Life(bus, law, clock, casebook, views, time, TimerQueries(watched.engine))
    await bus.close()
    await nc.close()
    await watched.bury()


Stage = Callable[[Life], Awaitable[Any]]


def stages(accepted: ReportAccepted, clock: Clock) -> list[Stage]:
    """A case from its report to a PPK that let the limit pass."""
    case_id = accepted.data.case_id

    async def later(_: Life) -> None:
        clock.at = START + timedelta(days=60)

    return [
        lambda life: life.route(accepted),
        lambda life: life.project(case_id),
        lambda life: life.fire(case_id),
        lambda life: life.say(case_id, "BAWASLU", "STUDY_CONCLUDED", "BREACH"),
        lambda life: life.project(case_id),
        lambda life: life.say(case_id, "BKN", "SUPERVISOR_CONCLUDED", "RECOMMENDED"),
        lambda life: life.project(case_id),
        later,
        lambda life: life.fire(case_id),
        lambda life: life.project(case_id),
    ]


async def played(broker: Broker, intake: Bus, judge: Judge, name: str, fate: Fate) -> bool:
    """Play a case; the process that dies is followed by one that gets the same work again. Whether none died."""
    accepted = ReportAccepted.model_validate(a_log(judge, name)[0]["event"])
    clock = Clock(START)
    todo = stages(accepted, clock)
    await intake.tell([accepted])
    async with living(broker, judge, clock, fate) as doomed:
        while todo and await lived(lambda: todo[0](doomed), fate):
            todo.pop(0)
    never, case_id = not todo, accepted.data.case_id
    async with living(broker, judge, clock, Fate(IMMORTAL)) as healthy:
        for stage in todo:
            await stage(healthy)
        _, rows = await healthy.queries.running(str(case_id))
        assert await healthy.time.timers.missing([row for row in rows if row["at"] > clock()]) == set()
        found = await page_of(healthy.bus, "CASES", 1, subjects=f"cases.{case_id}.step.3")
        assert len(found) == 1, f"the silence of the PPK is missing after death at use {fate.at}"
    return never


async def test_death_at_every_use_of_broker_and_database_is_survived(
    fresh_nats: Broker, judge: Judge
) -> None:
    bus = await Bus.connect(fresh_nats.settings, "operator")
    views = Views(open_engine(f"sqlite+aiosqlite:///{fresh_nats.data_dir}/routing.db"))
    await views.open()
    at = 1
    while not await played(fresh_nats, bus, judge, f"crash-{at}", Fate(at)):
        at += 1
    assert at > 60, "the scenario uses broker and database too rarely to prove anything"
    assert await findings(bus, fresh_nats.data_dir) == []
    await bus.close()
    await views.engine.dispose()


async def findings(bus: Bus, folder: Path) -> list[str]:
    """What the independent checker finds; nobody but routing works, and only its read model is there."""
    off = packaged(HERE)
    nowhere = f"sqlite+aiosqlite:///{folder}/nowhere.db"
    databases = Databases(f"sqlite+aiosqlite:///{folder}/routing.db", nowhere, nowhere, nowhere)
    checker = Checker(bus, databases, {off.version: off}, patience=0)
    found = [finding async for finding in checker.findings(START + timedelta(days=61))]
    return [str(f) for f in found if f.kind not in ("behind", "no-database", "not-told")]
