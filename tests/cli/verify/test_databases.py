"""The checker compares the databases with the streams: nothing of a true system, every planted difference."""

import itertools
from datetime import timedelta

import pytest

from contracts.topology import CONSUMERS
from services.routing.core.decide import Judge
from services.runtime.bus import Bus
from services.runtime.clock import now
from services.runtime.reading import last_of_each
from tests.builders import a_report
from tests.cli.verify.lying import Lie, each_is_named, executed, kept
from tests.cli.verify.planting import kinds, sentences
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
    await until(lambda: quiet(bus))
    return first


async def quiet(bus: Bus) -> bool:
    """Nothing is under way, and no timer whose time has come is still to fire; asked in the order in which each follows."""
    before = await told_of_cases(bus)
    if await busy(bus, "REPORTS", "routing") or await busy(bus, "CASES", "routing-projection"):
        return False
    timers = [
        timer.headers.get("Nats-Schedule", "") async for timer in last_of_each(bus, "TIMERS", ["timer.>"])
    ]
    if any(at and at <= f"@at {now():%Y-%m-%dT%H:%M:%SZ}" for at in timers):
        return False
    if await busy(bus, "TIMERS", "routing-timers") or await busy(bus, "CASES", "routing-projection"):
        return False
    return not await busy(bus, "NOTICES", "routing-notices") and await told_of_cases(bus) == before


async def busy(bus: Bus, stream: str, durable: str) -> bool:
    """What was stored just now may not count as pending yet, so it is asked for itself."""
    (filters,) = [consumer.filters for consumer in CONSUMERS if consumer.name == durable]
    last = max([stored.seq async for stored in last_of_each(bus, stream, filters)], default=0)
    info = await bus.js.consumer_info(stream, durable)
    return bool(info.num_pending or info.num_ack_pending or info.delivered.stream_seq < last)


async def told_of_cases(bus: Bus) -> int:
    return int((await bus.js.stream_info("CASES")).state.last_seq)


PPK = "WHERE owner = 'PPK'"
NOBODY = "'00000000-0000-5000-8000-000000000001'"
LATER = "datetime(since, '+1 day')"
LIES: tuple[Lie, ...] = (
    ("model-matter", "UPDATE matters SET owner = 'PPK' WHERE owner = 'BAWASLU'", "the read model says"),
    ("model-matter", f"UPDATE matters SET ticket = 'NTR-X' {PPK}", "ticket: the read model says NTR-X"),
    ("model-matter", f"UPDATE matters SET region = 'kemendagri:11' {PPK}", "region: the read model"),
    ("model-matter", f"UPDATE matters SET stage = 'CAMPAIGN_' {PPK}", "stage: the read model says CAMPAIGN_"),
    ("model-matter", f"UPDATE matters SET class = 'CRIME_' {PPK}", "class: the read model says CRIME_"),
    ("model-matter", f"UPDATE matters SET why = 'x' {PPK}", "why: the read model says x"),
    ("model-matter", f"UPDATE matters SET late = 1 - late {PPK}", "late: the read model says"),
    ("model-matter", f"UPDATE matters SET since = {LATER} {PPK}", "since: the read model says"),
    ("model-matter", f"UPDATE matters SET quarter_at = {LATER} {PPK}", "quarter_at: the read model says"),
    ("model-matter", f"UPDATE matters SET remind_at = NULL {PPK}", "remind_at: the read model says None"),
    ("model-matter", f"UPDATE matters SET over_at = {LATER} {PPK}", "over_at: the read model says"),
    (
        "model-matter",
        f"UPDATE matters SET matter = json_set(matter, '$.owner.why', 'x') {PPK}",
        "matter: the read model has other words than the log",
    ),
    ("model-version", "UPDATE versions SET version = 7 WHERE version = 2", "version [7], the log 2"),
    (
        "model-version",
        "UPDATE versions SET opened_at = datetime(opened_at, '+1 day')",
        "that it was opened at",
    ),
    ("model-inbox", "DELETE FROM inbox WHERE agency = 'BKN'", "inbox BKN"),
    ("model-inbox", "UPDATE inbox SET ref = 'p9' WHERE agency = 'PPK'", "p9: is not in the log"),
    (
        "model-inbox",
        "UPDATE inbox SET state = 'DONE' WHERE agency = 'PPK'",
        "state: the read model says DONE",
    ),
    ("model-inbox", "UPDATE inbox SET region = '-' WHERE agency = 'PPK'", "region: the read model says -"),
    ("model-inbox", "UPDATE inbox SET due_at = opened_at WHERE agency = 'PPK'", "due_at: the read model"),
    ("model-timer", "DELETE FROM timers WHERE fired = 0", "timer p1 "),
    (
        "model-timer",
        "UPDATE timers SET at = datetime(at, '+1 day') WHERE fired = 0",
        "at: the read model says",
    ),
    ("model-timer", "UPDATE timers SET office = 'pusat' WHERE agency = 'PPK'", "office: the read model says"),
    ("model-rows", "DELETE FROM steps WHERE number = 2", "steps has 1 rows of it, the log 2"),
    (
        "model-step",
        "UPDATE steps SET event = json_set(event, '$.data.said.result', 'x') WHERE number = 2",
        "step 2: event: the read model has other words",
    ),
    (
        "model-offer",
        "UPDATE offers SET event = json_set(event, '$.data.stage', 'x') WHERE agency = 'PPK'",
        "offer PPK p1 2: event: the read model has other words",
    ),
    (
        "model-offer",
        "UPDATE offers SET agency = 'POLRI' WHERE agency = 'PPK'",
        "POLRI p1 2: is not in the log",
    ),
    ("model-case", "UPDATE cases SET region = '-'", "region: the read model says -"),
    ("model-case", "UPDATE cases SET ticket = 'NTR-X'", "ticket: the read model says NTR-X"),
    ("model-case", "UPDATE cases SET report_id = 'x'", "report_id: the read model says x"),
    (
        "model-case",
        "UPDATE cases SET event = json_set(event, '$.data.decision.handled_on', 'x')",
        "other words",
    ),
    ("model-report", "UPDATE case_reports SET ticket = 'NTR-X'", "ticket: the read model says NTR-X"),
    ("model-report", "UPDATE case_reports SET report_id = 'x' WHERE rowid = 1", "x: is not in the log"),
    ("model-count", "INSERT INTO versions VALUES ('x', 0, '2026-01-01 00:00:00')", "versions has"),
    ("model-count", "UPDATE inbox SET case_id = 'x' WHERE agency = 'PPK'", "inbox has 1 rows of no case"),
    ("model-tally", "UPDATE tallies SET persons = persons + 1 WHERE owner = 'PPK'", "PPK RECOMMENDED"),
    ("vault-missing", "DELETE FROM reports", "not in the vault"),
    (
        "vault-only",
        "INSERT INTO reports SELECT 'x', ticket, body_mac, state, received_at, event, dossier,"
        " dossier_key, reporter, reporter_key, key_id FROM reports LIMIT 1",
        "but not in the stream",
    ),
    ("vault-differs", "UPDATE reports SET ticket = 'NTR-X'", "another ticket in the vault"),
    ("vault-differs", "UPDATE reports SET event = json_set(event, '$.data.ticket', 'x')", "another event"),
    ("vault-differs", "UPDATE reports SET event = ''", "another event"),
    ("vault-waiting", "UPDATE reports SET state = 'stored'", "still waits for it"),
    ("vault-waiting", "UPDATE reports SET state = 'claimed'", "still waits for it"),
    ("vault-differs", "UPDATE reports SET state = 'x'", "is in the state x, which there is not"),
    (
        "vault-differs",
        f"UPDATE reports SET received_at = {LATER.replace('since', 'received_at')}",
        "by the vault at",
    ),
    ("vault-differs", "UPDATE reports SET key_id = 'x'", "the vault names x"),
    ("vault-key", f"UPDATE match_keys SET report_id = {NOBODY}", "which was never accepted"),
    ("vault-key", f"UPDATE match_keys SET case_id = {NOBODY} WHERE rowid = 1", "the stream"),
    ("vault-key", "UPDATE match_keys SET day = date(day, '+1 day')", "the stream"),
    ("vault-unreadable", "UPDATE reports SET dossier = zeroblob(100)", "its dossier does not open"),
    ("vault-unreadable", "UPDATE reports SET reporter_key = dossier_key", "its reporter does not open"),
)


async def test_the_databases_of_a_true_system_agree_and_every_difference_is_named(
    fresh_nats: Broker, judge: Judge
) -> None:
    bus, folder = await Bus.connect(fresh_nats.settings, "operator"), fresh_nats.data_dir
    key = bytes.fromhex(fresh_nats.settings.secret("vault.key"))
    async with in_process(fresh_nats, judge=judge, clock=Clock(now())) as system:
        await played(system, bus)
    with kept(folder / "intake.db") as path:  # intake may just be noting the answer of the broker
        executed(path, "UPDATE reports SET state = 'claimed'")
        assert await kinds(bus, folder, now()) == {}
    later = now() + timedelta(minutes=11)
    assert await kinds(bus, folder, later, vault_key=key) == {}
    for name, lies in itertools.groupby(
        LIES, lambda lie: "intake" if lie[0].startswith("vault") else "routing"
    ):
        await each_is_named(bus, folder / f"{name}.db", lies, later, vault_key=key)
    await bus.close()


async def test_a_key_that_the_vault_was_not_filled_with_is_one_finding(
    fresh_nats: Broker, judge: Judge
) -> None:
    bus, folder = await Bus.connect(fresh_nats.settings, "operator"), fresh_nats.data_dir
    async with in_process(fresh_nats, judge=judge, clock=Clock(now())) as system:
        await opened(system, "k1")
        await until(lambda: quiet(bus))
    found = await sentences(bus, folder, now(), vault_key=bytes(32))
    assert [kind for kind, _ in found] == ["vault-unreadable"], found
    assert "the vault opens to another vault.key" in found[0][1]
    await bus.close()


async def test_what_was_erased_need_not_open(fresh_nats: Broker, judge: Judge) -> None:
    bus, folder = await Bus.connect(fresh_nats.settings, "operator"), fresh_nats.data_dir
    key = bytes.fromhex(fresh_nats.settings.secret("vault.key"))
    async with in_process(fresh_nats, judge=judge, clock=Clock(now())) as system:
        await opened(system, "k1")
        await until(lambda: quiet(bus))
    executed(folder / "intake.db", "UPDATE reports SET dossier_key = NULL")
    assert await kinds(bus, folder, now(), vault_key=key) == {}
    await bus.close()


async def test_a_timer_that_the_broker_lost_or_set_for_another_time_is_found(
    fresh_nats: Broker, judge: Judge
) -> None:
    bus, folder = await Bus.connect(fresh_nats.settings, "operator"), fresh_nats.data_dir
    async with in_process(fresh_nats, judge=judge, clock=Clock(now())) as system:
        await played(system, bus)
    timers = [stored async for stored in last_of_each(bus, "TIMERS", ["timer.*.p1.PPK.*.OVERDUE"])]
    (timer,) = timers
    moved = {**timer.headers, "Nats-Schedule": "@at 2099-01-01T00:00:00Z"}
    moved = {name: value for name, value in moved.items() if name in _SCHEDULE}
    await bus.js.publish(timer.subject, timer.body, headers=moved)
    assert "a timer for 2099-01-01T00:00:00Z, not for" in (await kinds(bus, folder, now()))["wrong-timer"]
    await bus.js.purge_stream("TIMERS", subject=timer.subject)
    found = await sentences(bus, folder, now())
    assert [kind for kind, _ in found] == ["no-timer"], found
    assert "the OVERDUE of PPK about p1" in found[0][1]
    await bus.close()


_SCHEDULE = ("Nats-Schedule", "Nats-Schedule-Target", "Nats-Schedule-TTL")
