"""The checker compares the databases with the streams: nothing of a true system, every planted difference."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.clock import now
from tests.builders import a_report
from tests.cli.verify.planting import kinds
from tests.conftest import Broker
from tests.routing.test_steps_api import opened, say, seen
from tests.running import Clock, System, in_process, until

pytestmark = pytest.mark.broker


async def played(system: System, bus: Bus) -> str:
    """A few cases: one at the PPK, one transferred, one of two persons, two copies of one report."""
    first = await opened(system, "k1")
    await say(system, first, "BAWASLU", event="STUDY_CONCLUDED", result="BREACH")
    await seen(system, first, 1)
    await say(system, first, "BKN", event="SUPERVISOR_CONCLUDED", result="RECOMMENDED")
    await seen(system, first, 2)
    second = await opened(system, "k2", person__name="Orang Dua")
    await say(system, second, "BAWASLU", to="moves", move="TRANSFER")
    await say(system, second, "BAWASLU", event="STUDY_CONCLUDED", result="NO_BREACH")
    await seen(system, second, 1)
    for key in ("k3", "k4"):
        await system.send(a_report(person__name="Orang Tiga"), key)
    await until(lambda: _quiet(bus))
    return first


async def _quiet(bus: Bus) -> bool:
    durables = (("REPORTS", "routing"), ("CASES", "routing-projection"), ("TIMERS", "routing-timers"))
    infos = [await bus.js.consumer_info(*durable) for durable in durables]
    return not any(info.num_pending or info.num_ack_pending for info in infos)


LIES: dict[str, tuple[str, str]] = {
    "model-matter": ("UPDATE matters SET owner = 'PPK' WHERE owner = 'BAWASLU'", "the read model says"),
    "model-version": ("UPDATE versions SET version = 7 WHERE version = 2", "version [7], the log 2"),
    "model-inbox": ("DELETE FROM inbox WHERE agency = 'BKN'", "inbox BKN"),
    "model-timer": ("DELETE FROM timers WHERE fired = 0", "timer p1 "),
    "model-rows": ("DELETE FROM steps WHERE number = 2", "steps has 1 rows of it, the log 2"),
    "model-count": ("INSERT INTO versions VALUES ('x', 0, '2026-01-01 00:00:00')", "versions has"),
    "model-tally": ("UPDATE tallies SET persons = persons + 1 WHERE owner = 'PPK'", "PPK RECOMMENDED"),
    "vault-missing": ("DELETE FROM reports", "not in the vault"),
}


async def test_the_databases_of_a_true_system_agree_and_every_difference_is_named(
    fresh_nats: Broker, judge: Judge
) -> None:
    bus, folder = await Bus.connect(fresh_nats.settings, "operator"), fresh_nats.data_dir
    async with in_process(fresh_nats, judge=judge, clock=Clock(now())) as system:
        await played(system, bus)
    found = await kinds(bus, folder, now())
    assert found == {}
    for kind, (sql, words) in LIES.items():
        name = "intake" if kind.startswith("vault") else "routing"
        with kept(folder / f"{name}.db") as path:
            _execute(path, sql)
            found = await kinds(bus, folder, now())
            assert kind in found, (kind, found)
            assert words in found[kind]
    await bus.close()


class kept:  # noqa: N801 - reads as a word
    """A database that is put back as it was."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        self.before = sqlite3.connect(":memory:")
        with sqlite3.connect(self.path) as source:
            source.backup(self.before)
        return self.path

    def __exit__(self, *_: Any) -> None:
        with sqlite3.connect(self.path) as target:
            self.before.backup(target)
        self.before.close()


def _execute(path: Path, sql: str) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute(sql).rowcount > 0
