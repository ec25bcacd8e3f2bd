"""Every running limit is a timer on the broker: it fires once, follows its case, and a sweep finds what was lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from nats.js.errors import NotFoundError

from contracts.codes import Agency
from contracts.door import read_report
from contracts.events import CaseDecided, ReportAccepted, ReportAcceptedData
from contracts.facts import facts_of
from contracts.ids import NETRAL, derived_id
from contracts.steps import Due
from services.routing.casebook import Casebook
from services.routing.core.decide import Judge
from services.routing.core.fanout import decided
from services.routing.core.life import life_of
from services.routing.law import Law
from services.routing.limits_sweep import Sweep, Swept
from services.routing.limits_watch import Limits, Spoken
from services.routing.matters import keep_versions, version_of
from services.routing.timer_queries import TimerQueries
from services.routing.timers import Firing, Timers
from services.routing.views import Views
from services.routing.words import Words
from services.runtime.bus import Bus
from services.runtime.clock import now
from services.runtime.database import open_engine, writing
from services.runtime.reading import last_of_each
from tests.builders import TODAY, a_report
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker
NEVER = 3600.0
"""Seconds between two looks of a sweep that plays no part."""


@asynccontextmanager
async def operator(broker: Broker) -> AsyncIterator[Bus]:
    bus = await Bus.connect(broker.settings, "operator")
    yield bus
    await bus.close()


async def held(bus: Bus, subjects: str) -> dict[str, str | None]:
    """The schedules on the broker, by subject; None where one was cancelled."""
    found = last_of_each(bus, "TIMERS", [subjects])
    return {m.subject.split(".", 2)[2]: m.headers.get("Nats-Schedule") async for m in found}


async def dues(bus: Bus, case_id: object) -> list[str]:
    """What was said about the limits of a case: agency, day and level."""
    found = last_of_each(bus, "CASES", [f"cases.{case_id}.due.>"])
    return sorted([m.subject.split(".", 4)[4] async for m in found])


def a_case(judge: Judge, name: str, over_at: datetime) -> tuple[ReportAccepted, CaseDecided]:
    """A report and its decision, whose only limit is over at an instant; reminded of a second before."""
    at, report_id = over_at - timedelta(seconds=2), derived_id(NETRAL, "report", name)
    facts = facts_of(read_report(a_report(), TODAY), date(2026, 11, 24))
    data = ReportAcceptedData(
        report_id=report_id, case_id=derived_id(report_id, "case"), ticket=f"NTR-{name}", facts=facts
    )
    accepted = ReportAccepted(
        id=report_id, source="netral/intake", subject=str(report_id), time=at, data=data
    )
    life = life_of(facts, date(2026, 11, 24), (), (), judge)
    due = Due(
        agency=Agency.BAWASLU,
        office="kabkota:52.04",
        since=date(2026, 11, 20),
        last_day=date(2026, 11, 30),
        remind_at=over_at - timedelta(seconds=1),
        over_at=over_at,
        calendar="made for this test",
    )
    matters = tuple(matter.model_copy(update={"dues": (due,)}) for matter in life.matters)
    return accepted, decided(accepted, life.decision, at, matters)


async def test_a_limit_is_said_by_its_timer_at_its_time_and_once(fresh_nats: Broker, judge: Judge) -> None:
    over_at = now() + timedelta(seconds=3)
    accepted, decision = a_case(judge, "soon", over_at)
    async with in_process(fresh_nats, judge=judge, clock=now, sweep=NEVER), operator(fresh_nats) as bus:  # type: ignore[arg-type]
        await bus.tell([decision])
        await bus.tell([accepted])
        case_id = decision.data.case_id
        both = ["BAWASLU.2026-11-30.OVERDUE", "BAWASLU.2026-11-30.REMINDER"]

        async def all_said() -> bool:
            return await dues(bus, case_id) == both

        await until(all_said)
        assert now() >= over_at
        for subject in both:  # as if the broker had scheduled or delivered twice
            body = await bus.last("TIMERS", f"due.{case_id}.p1.{subject}")
            for _ in range(3):
                await bus.js.publish(f"due.{case_id}.p1.{subject}", body or b"")
        await until(lambda: idle(bus))
        counts = (await bus.js.stream_info("CASES", subjects_filter=f"cases.{case_id}.due.>")).state.subjects
        assert set((counts or {}).values()) == {1}


async def test_the_broker_takes_a_limit_of_any_year(fresh_nats: Broker, judge: Judge) -> None:
    accepted, decision = a_case(judge, "long ago", datetime(900, 3, 2, tzinfo=UTC))
    async with in_process(fresh_nats, judge=judge, clock=now, sweep=NEVER), operator(fresh_nats) as bus:  # type: ignore[arg-type]
        await bus.tell([decision])
        await bus.tell([accepted])

        async def said() -> bool:
            return bool(await dues(bus, decision.data.case_id))

        await until(said)


async def idle(bus: Bus) -> bool:
    info = await bus.js.consumer_info("TIMERS", "routing-timers")
    return not info.num_pending and not info.num_ack_pending


async def at_ppk(system: System, key: str = "k1", **changed: Any) -> str:
    case_id = await opened(system, key, **changed)
    await say(system, case_id, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
    await seen(system, case_id, 1)
    await say(system, case_id, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
    await seen(system, case_id, 2)
    return case_id


async def test_a_limit_that_starts_stops_and_starts_again_has_its_timer_set_cancelled_and_set(
    fresh_nats: Broker, judge: Judge
) -> None:
    async with in_process(fresh_nats, judge=judge, sweep=NEVER) as system, operator(fresh_nats) as bus:
        case_id = await at_ppk(system)

        async def timers(wanted: set[str | None]) -> dict[str, str | None] | None:
            there = await held(bus, f"timer.{case_id}.p1.PPK.>")
            return there if set(there.values()) == wanted else None

        story = await seen(system, case_id, 2)
        (due,) = story["persons"][0]["dues"]
        over = f"@at {due['over_at'][:19]}Z"
        there = await until(lambda: timers({over, f"@at {due['remind_at'][:19]}Z"}))
        assert set(there) == {f"p1.PPK.{due['last_day']}.{level}" for level in ("REMINDER", "OVERDUE")}
        returned = await say(system, case_id, "PPK", to="moves", move="RETURN", reason="berkas")
        assert returned.status_code == 200, returned.text
        await until(lambda: timers({None}))
        await say(system, case_id, "OPERATOR", to="moves", move="VOID", step=3, reason="keliru")
        await until(lambda: timers({over, f"@at {due['remind_at'][:19]}Z"}))
        await say(system, case_id, "PPK", event="PPK_CONCLUDED", result="SANCTIONED")
        await until(lambda: timers({None}))


async def test_a_timer_of_a_limit_that_no_longer_runs_does_nothing(fresh_nats: Broker, judge: Judge) -> None:
    clock = Clock()
    async with (
        in_process(fresh_nats, judge=judge, clock=clock, sweep=NEVER) as system,
        operator(fresh_nats) as bus,
    ):
        case_id = await at_ppk(system)
        there = await until(lambda: held(bus, f"timer.{case_id}.p1.PPK.>"))
        name = next(name for name in there if name.endswith("OVERDUE"))
        body = await bus.last("TIMERS", f"timer.{case_id}.{name}")
        await say(system, case_id, "PPK", to="moves", move="RETURN", reason="berkas")
        clock.at += timedelta(days=60)
        await bus.js.publish(f"due.{case_id}.{name}", body or b"")
        await until(lambda: idle(bus))
        assert not any("PPK" in said for said in await dues(bus, case_id))
        assert (await seen(system, case_id, 3))["step"] == 3


async def test_what_the_broker_lost_is_set_anew_and_what_passed_meanwhile_is_said(
    fresh_nats: Broker, judge: Judge, tmp_path: Path
) -> None:
    clock = Clock(now())
    async with bench(fresh_nats, judge, clock, tmp_path) as made:
        bus, timers, sweep = made.bus, made.timers, made.sweep
        soon, late = (now() + timedelta(hours=h) for h in (1, 30))
        cases = [a_case(judge, name, at) for name, at in (("a", soon), ("b", late))]
        for accepted, decision in cases:
            await made.keep(accepted, decision)
            await timers.follow(decision, first=True)
        first, second = (decision.data.case_id for _, decision in cases)
        assert await sweep.look(whole=True) == Swept(missed=0, armed=0)
        await bus.js.purge_stream("TIMERS")
        assert await held(bus, "timer.>") == {}
        assert await sweep.look() == Swept(missed=0, armed=0)  # both lie beyond the next look
        clock.at = soon - timedelta(seconds=20)
        assert await sweep.look() == Swept(missed=0, armed=1)
        assert set(await held(bus, f"timer.{first}.>")) == {
            f"p1.BAWASLU.2026-11-30.{level}" for level in ("REMINDER", "OVERDUE")
        }
        assert await sweep.look(whole=True) == Swept(missed=0, armed=1)
        assert len(await held(bus, f"timer.{second}.>")) == 2
        await bus.js.purge_stream("TIMERS")
        clock.at = late + timedelta(seconds=1)
        assert (await sweep.look()).missed == 4
        assert len(await dues(bus, first)) == len(await dues(bus, second)) == 2


async def test_a_worker_that_is_behind_does_not_undo_what_a_newer_version_set(
    fresh_nats: Broker, judge: Judge, tmp_path: Path
) -> None:
    async with (
        bench(fresh_nats, judge, Clock(now()), tmp_path / "new") as ahead,
        bench(fresh_nats, judge, Clock(now()), tmp_path / "old") as behind,
    ):
        accepted, old = a_case(judge, "a", now() + timedelta(hours=1))
        _, new = a_case(judge, "a", now() + timedelta(hours=2))
        await behind.keep(accepted, old)
        await ahead.keep(accepted, old)
        await ahead.project(new, 1)
        case_id = old.data.case_id
        await ahead.timers.arm(case_id)
        newest = await held(ahead.bus, f"timer.{case_id}.>")
        await behind.timers.follow(old, first=True)
        assert await held(ahead.bus, f"timer.{case_id}.>") == newest


async def test_a_timer_whose_time_has_not_come_by_our_clock_waits(
    fresh_nats: Broker, judge: Judge, tmp_path: Path
) -> None:
    clock = Clock(now())
    async with bench(fresh_nats, judge, clock, tmp_path) as made:
        accepted, decision = a_case(judge, "a", clock.at + timedelta(hours=1))
        await made.keep(accepted, decision)
        limits = made.limits
        (due,) = decision.data.persons[0].dues
        row = {"case_id": decision.data.case_id, "ref": "p1", "level": "OVERDUE", "at": due.over_at}
        firing = Firing.of({**row, **due.model_dump(include={"agency", "office", "last_day"})})
        assert await limits.speak(firing) is Spoken.EARLY
        clock.at = due.over_at
        assert await limits.speak(firing) is Spoken.SAID
        assert (
            await limits.speak(firing.model_copy(update={"last_day": date(2026, 12, 1)})) is Spoken.OUTDATED
        )
        nobody = firing.model_copy(update={"case_id": UUID(int=1)})
        assert await limits.speak(nobody) is Spoken.NO_CASE


async def test_nobody_but_routing_and_the_operator_may_write_or_empty_the_timers(fresh_nats: Broker) -> None:
    for user, subject in (("intake", "timer.x"), ("notifications", "timer.x"), ("routing", "due.x")):
        bus = await Bus.connect(fresh_nats.settings, user)
        with pytest.raises((TimeoutError, NotFoundError)):
            await bus.nc.jetstream(timeout=0.3).publish(subject, b"", headers={"Nats-Rollup": "all"})
        await bus.close()


@dataclass
class Bench:
    """Timers and sweep over a read model of their own, without the service."""

    bus: Bus
    timers: Timers
    sweep: Sweep
    limits: Limits
    views: Views

    async def keep(self, accepted: ReportAccepted, decision: CaseDecided) -> None:
        await self.bus.tell([accepted])
        await self.bus.tell([decision])
        await self.project(decision, 0)

    async def project(self, event: CaseDecided, number: int) -> None:
        """Bring a case into the read model as its version of a number."""
        async with writing(self.views.engine) as connection:
            await keep_versions(connection, [version_of(event)._replace(number=number)])


@asynccontextmanager
async def bench(broker: Broker, judge: Judge, clock: Clock, folder: Path) -> AsyncIterator[Bench]:
    folder.mkdir(exist_ok=True)
    async with operator(broker) as bus:
        views = Views(open_engine(f"sqlite+aiosqlite:///{folder}/routing.db"))
        await views.open()
        queries = TimerQueries(views.engine)
        timers = Timers(bus, queries)
        casebook = Casebook(bus, Law(judge, clock), clock, Words(broker.settings.secret("case.key")))
        limits = Limits(bus, casebook, clock)
        yield Bench(bus, timers, Sweep(bus, limits, timers, queries, clock, 30.0), limits, views)
        await views.engine.dispose()
