"""A small true log on a real broker, and what puts a lie into it."""

import copy
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from contracts.door import read_report
from contracts.events import CaseDecided, Event, ReportAccepted, ReportAcceptedData, event_id
from contracts.facts import facts_of
from contracts.ids import NETRAL, case_id_of, derived_id
from contracts.steps import Said
from services.cli.verify.checking import Checker, Databases
from services.cli.verify.days import packaged
from services.cli.verify.history import Case, case_of
from services.cli.verify.logbook import Fact
from services.cli.verify.slimming import slim
from services.cli.verify.slimming import told as told_slim
from services.routing.calendar_files import HERE
from services.routing.core.decide import Judge
from services.routing.core.fanout import decided, following, linked, newly_offered, stepped
from services.routing.core.life import Step, life_of
from services.routing.core.telling import told_of_opening, told_of_step
from services.runtime.batches import message_of
from services.runtime.bus import Bus
from tests.builders import TODAY, a_report
from tests.conftest import Broker

OPENED = datetime(2026, 11, 24, 3, tzinfo=UTC)
T = TypeVar("T")
Document = dict[str, Any]
Lie = Callable[[list[Document]], list[Document] | None]


def a_log(judge: Judge, name: str, said: tuple[tuple[Any, ...], ...] = (), **changed: Any) -> list[Document]:
    """The events of one case: its report, its decision and what follows, then one step a day.

    Of what is `said`: by whom, the event, its result, and other words of it if there are any.
    """
    facts = facts_of(read_report(a_report(**changed), TODAY), OPENED.date())
    report_id = derived_id(NETRAL, "report", name)
    data = ReportAcceptedData(
        report_id=report_id, case_id=case_id_of(report_id), ticket=f"NTR-{name}", facts=facts
    )
    accepted = ReportAccepted(
        id=event_id(report_id, "accepted"),
        source="netral/intake",
        subject=str(report_id),
        time=OPENED,
        data=data,
    )
    life = life_of(facts, OPENED.date(), (), (), judge)
    record: CaseDecided = decided(accepted, life.decision, OPENED, life.matters)
    events = [
        accepted,
        record,
        *following(record),
        linked(accepted.data, OPENED),
        *told_of_opening(record),
    ]
    steps: list[Step] = []
    for number, (by, event, result, *more) in enumerate(said, 1):
        at, before = OPENED + timedelta(days=number), life.matters
        words = {"event": event, "result": result, "on": at.date(), **(more[0] if more else {})}
        step = Step(number, at, by, None, Said.model_validate(words))
        steps.append(step)
        days: list[date] = [other.at.date() for other in steps]
        life = life_of(facts, OPENED.date(), days, steps, judge)
        told = stepped(record, step, life)
        events += [told, *newly_offered(told, before), *told_of_step(told, before)]
    return as_documents(events)


def as_documents(events: Iterable[Event]) -> list[Document]:
    """Events as they lie in their streams."""
    return [{"subject": m.subject, "event": json.loads(m.body)} for m in map(message_of, events)]


def told(log: list[Document], word: str, number: int = 0) -> Document:
    """The event of a log whose subject has a word in it; changing it changes the log."""
    found = [entry["event"] for entry in log if f".{word}" in entry["subject"]]
    return dict.__getitem__({"it": found[number]}, "it")


def changed(word: str, number: int, *path: Any, to: Any) -> Lie:
    """One field of the event of which the subject has a word in it."""

    def lie(log: list[Document]) -> None:
        place = told(log, word, number)["data"]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = to

    return lie


def without(log: list[Document], word: str) -> list[Document]:
    """The log without the first event whose subject has a word in it."""
    gone = next(entry for entry in log if f".{word}" in entry["subject"])
    return [entry for entry in log if entry is not gone]


def copied(log: T) -> T:
    return copy.deepcopy(log)


def case_in(log: list[Document]) -> Case:
    """The case of a log as the checker reads it, without a broker; its reports are left out."""
    facts = []
    for seq, entry in enumerate(log, 1):
        stream, *words = entry["subject"].split(".")
        data, at = entry["event"]["data"], datetime.fromisoformat(entry["event"]["time"])
        if stream == "told":
            facts.append(Fact(seq, "told", entry["subject"], at, told_slim(data, words[3])))
        elif stream == "cases":
            facts.append(Fact(seq, words[1], entry["subject"], at, slim(data)))
    return case_of(told(log, "decided")["data"]["case_id"], facts, [])


@asynccontextmanager
async def stored(broker: Broker, log: list[Document]) -> AsyncIterator[Bus]:
    """A connection of the operator after the events were stored as they are, guards or not."""
    bus = await Bus.connect(broker.settings, "operator")
    await publish(bus, log)
    yield bus
    await bus.close()


async def publish(bus: Bus, log: list[Document]) -> None:
    for entry in log:
        await bus.js.publish(entry["subject"], json.dumps(entry["event"]).encode())


def publish_once_reports_are_read(bus: Bus, log: list[Document]) -> None:
    """The checker asks over this bus whether what it has read of the reports was handled: before the first answer."""
    ask, left = bus.js.consumer_info, [*log]

    async def asked(*of: Any) -> Any:
        now, left[:] = [*left], []
        await publish(bus, now)
        return await ask(*of)

    bus.js.consumer_info = asked


def databases(folder: Path, routing: str | None = None) -> Databases:
    """Those of a data folder, there or not; the read model elsewhere if it is."""
    names = ("routing", "intake", "notifications", "deliveries")
    found = Databases(*(f"sqlite+aiosqlite:///{folder}/{name}.db" for name in names))
    return found._replace(routing=routing or found.routing)


async def kinds(
    bus: Bus, folder: Path, now: datetime = OPENED + timedelta(days=2), patience: float = 0, **more: Any
) -> dict[str, str]:
    """A sentence of each kind that the checker finds."""
    return dict(await sentences(bus, folder, now, patience, **more))


async def sentences(
    bus: Bus,
    folder: Path,
    now: datetime = OPENED + timedelta(days=2),
    patience: float = 0,
    routing: str | None = None,
    **more: Any,
) -> list[tuple[str, str]]:
    """What the checker finds, by kind, but for services and databases that are not there."""
    off = packaged(HERE)
    checker = Checker(bus, databases(folder, routing), {off.version: off}, patience=patience, **more)
    found = [finding async for finding in checker.findings(now)]
    return [(f.kind, str(f)) for f in found if f.kind not in ("behind", "no-database")]


async def found_after(broker: Broker, log: list[Document], lie: Lie) -> list[tuple[str, str]]:
    """What the checker finds in a log after a lie."""
    async with stored(broker, lie(log) or log) as bus:
        return await sentences(bus, broker.data_dir)
