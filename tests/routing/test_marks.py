"""A stream that lost what it held is noticed, also when it has grown past its mark since."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.js.api import DiscardPolicy

from deploy.streams import provision
from services.routing.marks import WATCHED, Mark, Marks, lost
from services.runtime.bus import Bus
from services.runtime.database import open_engine
from tests.conftest import Broker
from tests.running import Clock

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW = Mark(7, "2026-11-24T11:58:59.123456789Z"), Mark(7, "2026-11-24T11:59:30Z")


def test_a_stream_lost_something_where_its_mark_is_gone_or_is_another_message() -> None:
    assert list(lost({"CASES": OLD}, {"CASES": OLD}, NOON)) == []
    assert list(lost({"CASES": OLD}, {"CASES": None}, NOON)) == ["CASES"]
    assert list(lost({"CASES": OLD}, {"CASES": Mark(7, NEW.stored_at)}, NOON)) == ["CASES"]
    assert list(lost({"CASES": OLD}, {"CASES": Mark(9, OLD.stored_at)}, NOON)) == ["CASES"]


def test_a_mark_of_the_last_minute_says_nothing_yet() -> None:
    assert list(lost({"CASES": NEW}, {"CASES": None}, NOON)) == []


def test_what_may_be_deleted_is_not_watched() -> None:
    assert set(WATCHED) == {
        *("REPORTS", "CASES", "RULEBOOKS", "CALENDARS", "AGENCIES", "NOTICES", "TOLD", "WEBHOOKS"),
    }


def cut(broker: Broker, stream: str) -> None:
    """Damage the second half of a stream's newest block, as a bad sector does, while no server runs."""
    folder = next((broker.data_dir / "nats").rglob(f"streams/{stream}/msgs"))
    block = max(folder.glob("*.blk"), key=lambda path: int(path.stem))
    data = block.read_bytes()
    block.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


@pytest.mark.broker
async def test_without_an_older_note_of_a_stream_the_broker_reads_all_that_its_damaged_block_still_holds(
    fresh_nats: Broker,
) -> None:
    """The cure of docs/runbooks/StreamLost.md: by its note nats-server 2.15.1 takes such a stream for empty."""
    fresh_nats.stop()
    fresh_nats.server.start()
    bus = await Bus.connect(fresh_nats.settings, "operator")
    for number in range(40):
        await bus.js.publish(f"notices.a.{number}", b"x" * 300)
    await bus.close()
    fresh_nats.kill()
    cut(fresh_nats, "NOTICES")
    fresh_nats.server.start()
    fresh_nats.stop()
    for note in (fresh_nats.data_dir / "nats").rglob("streams/NOTICES/msgs/index.db"):
        note.unlink()
    fresh_nats.server.start()
    bus = await Bus.connect(fresh_nats.settings, "operator")
    state = (await bus.js.stream_info("NOTICES")).state
    assert (state.messages, state.first_seq, state.last_seq) == (20, 1, 20)
    await bus.close()


@asynccontextmanager
async def marks(broker: Broker, folder: Path, clock: Clock) -> AsyncIterator[Marks]:
    engine = open_engine(f"sqlite+aiosqlite:///{folder}/marks.db")
    found = Marks(engine, clock)
    await found.open()
    yield found
    await engine.dispose()


@pytest.mark.broker
async def test_a_cut_stream_is_named_until_somebody_says_that_it_counts(
    fresh_nats: Broker, tmp_path: Path
) -> None:
    clock = Clock(datetime.now(UTC))
    bus = await Bus.connect(fresh_nats.settings, "operator")
    for number in range(40):
        await bus.js.publish(f"notices.a.{number}", b"x" * 300)
    async with marks(fresh_nats, tmp_path, clock) as watching:
        assert await watching.look(bus) == ()
        await bus.close()
        fresh_nats.kill()
        cut(fresh_nats, "NOTICES")
        fresh_nats.server.start()
        bus = await Bus.connect(fresh_nats.settings, "operator")
        for number in range(40, 90):
            await bus.js.publish(f"notices.a.{number}", b"x" * 300)
        assert await watching.look(bus) == (), "a follower may be a moment behind"
        clock.at += timedelta(minutes=2)
        assert await watching.look(bus) == ("NOTICES",)
    async with marks(fresh_nats, tmp_path, clock) as after_a_restart:
        assert await after_a_restart.look(bus) == ("NOTICES",)
        await after_a_restart.forget()
        assert await after_a_restart.look(bus) == ()
        clock.at += timedelta(minutes=2)
        assert await after_a_restart.look(bus) == ()
    await bus.close()


@pytest.mark.broker
async def test_a_stream_that_dropped_its_oldest_is_named_also_when_nothing_drops_any_more(
    fresh_nats: Broker, tmp_path: Path
) -> None:
    clock = Clock(datetime.now(UTC))
    bus = await Bus.connect(fresh_nats.settings, "operator")
    for number in range(10):
        await bus.js.publish(f"notices.a.{number}", b"x")
    async with marks(fresh_nats, tmp_path, clock) as watching:
        assert await watching.look(bus) == ()
        config = (await bus.js.stream_info("NOTICES")).config
        config.max_msgs, config.discard = 5, DiscardPolicy.OLD
        await bus.js.update_stream(config)
        await provision(bus.js)
        clock.at += timedelta(minutes=2)
        assert await watching.look(bus) == ("NOTICES",)
        await watching.forget()
        assert await watching.look(bus) == ()
        clock.at += timedelta(minutes=2)
        assert await watching.look(bus) == ()
    await bus.close()
