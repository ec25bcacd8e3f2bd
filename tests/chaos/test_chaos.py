"""A short storm over real processes breaks no promise, and its seed repeats it."""

import asyncio
import json
from pathlib import Path

import pytest

from services.runtime.reading import Stored
from tests.chaos.__main__ import storm
from tests.chaos.counting import told_twice, wrong_tickets, wrongly_parked
from tests.chaos.profile import reports
from tests.chaos.proxy import Proxy, Weather
from tests.chaos.reader import AGENCY, misheard
from tests.chaos.schedule import DEEDS, ROUND, Deed, schedule
from tests.chaos.world import NAMES, World
from tests.conftest import Broker
from tests.postgres import PostgresServer

SEED = 20241127


@pytest.mark.broker
@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_short_storm_breaks_no_promise(tmp_path: Path) -> None:
    database = PostgresServer()
    database.start()
    try:
        run = storm(SEED, ROUND, tmp_path / "data", database=database)
    finally:
        database.stop()
    assert run.broken == []
    assert len(run.tickets) > 30


def test_a_seed_gives_the_same_storm_and_another_seed_another() -> None:
    assert schedule(SEED, 60) == schedule(SEED, 60) != schedule(SEED + 1, 60)
    assert reports(SEED, 200, 5) == reports(SEED, 200, 5) != reports(SEED + 1, 200, 5)


def test_every_round_does_every_deed_once() -> None:
    for seed in range(20):
        kinds = [deed.kind for deed in schedule(seed, 2 * ROUND)]
        assert sorted(kinds) == sorted(2 * [kind for kind, _ in DEEDS])


def test_a_run_has_copies_a_crowd_and_hostile_reports() -> None:
    kinds = {one.key.split("-")[0] for one in reports(SEED, 400, 5)}
    assert kinds == {"one", "copy", "crowd", "hostile"}


def accepted(number: int, case: str, seq: int = 1) -> Stored:
    body = json.dumps({"data": {"ticket": f"T{number}", "case_id": case}}).encode()
    return Stored(seq, f"reports.{number}.accepted", body, {})


def test_our_own_counts_find_each_kind_of_lie() -> None:
    log = [accepted(1, "a"), accepted(2, "a"), accepted(3, "b")]
    tickets, events = {"k1": "T1", "k2": "T2", "k3": "T3"}, {"k1": "x", "k2": "x", "k3": "y"}
    assert list(wrong_tickets(log, tickets, events, set())) == []
    lies: dict[str, list[Stored]] = {
        "not stored": log[:2],
        "stored twice": [*log, accepted(3, "b", 9)],
        "given to nobody": [*log, accepted(4, "c")],
        "x is in 2 cases": [*log[1:], accepted(1, "c")],
        "two events share a case": [*log[:2], accepted(3, "a")],
    }
    for says, lie in lies.items():
        assert any(says in found for found in wrong_tickets(lie, tickets, events, set())), says
    assert list(told_twice({"CASES": [], "TOLD": [], "NOTICES": [], "REPORTS": 2 * log[:1]}))
    offered = [Stored(n, f"told.{AGENCY}.x.{n}", json.dumps({"id": f"e{n}"}).encode(), {}) for n in range(3)]
    assert not list(misheard(["e0", "e1", "e2"], [*offered, Stored(3, "told.BKN.x.3", b"{}", {})]))
    for heard in (["e0", "e1"], ["e0", "e1", "e1", "e2"], ["e1", "e0", "e2"]):
        assert list(misheard(heard, offered)), "an agency that did not hear all, each once and in order"
    letter = Stored(1, "parked.REPORTS.routing.7", b"", {"Netral-Subject": "reports.1.accepted"})
    assert list(wrongly_parked([letter], [])), "a dead letter that we did not cause"
    assert list(wrongly_parked([letter], ["reports.1.accepted"])), "garbage that not every reader parked"
    assert not list(wrongly_parked(3 * [letter], ["reports.1.accepted"]))


@pytest.mark.broker
async def test_deeds_that_overlap_start_one_broker_and_no_second(fresh_nats: Broker) -> None:
    world = World(fresh_nats, disk=None)
    minder = asyncio.create_task(world.mind())
    kills = (Deed(0, "kill", "broker", lasts) for lasts in (0.6, 0.0, 0.3))
    world.down.update(NAMES)  # the services are not needed here
    await asyncio.gather(*map(world.do, kills))
    await asyncio.sleep(0.6)
    minder.cancel()
    server = fresh_nats.server.process
    assert server
    assert server.poll() is None
    assert "[FTL]" not in (fresh_nats.data_dir / "logs" / "nats.log").read_text()


async def test_the_proxy_passes_delays_swallows_and_cuts() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy(server.sockets[0].getsockname()[1], delay=0.2)
    await proxy.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await _echoed(reader, writer, 5)
    proxy.turn(Weather.SLOW)
    assert not await _echoed(reader, writer, 0.1)
    assert await reader.read(100) == b"x"
    proxy.turn(Weather.HOLE)
    assert not await _echoed(reader, writer, 0.3)
    proxy.turn(Weather.CLEAR)
    assert await _ended(reader)
    proxy.turn(Weather.CUT)
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await _ended(reader)
    await proxy.stop()
    server.close()


async def _ended(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(5):
        try:
            return await reader.read(100) == b""
        except ConnectionResetError:
            return True


async def _echoed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> bool:
    writer.write(b"x")
    try:
        async with asyncio.timeout(patience):
            return await reader.read(100) == b"x"
    except TimeoutError:
        return False
