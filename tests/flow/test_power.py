"""What was accepted survives the end of the machine as far as the broker was told to sync; the vault keeps it always."""

import asyncio
import os
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from contracts.ids import report_id_of
from services.intake.vault_tables import reports
from services.runtime.database import open_engine
from tests.chaos.acts import insist
from tests.chaos.disk import SmallDisk, small_disk
from tests.conftest import Broker
from tests.flow.test_kill import send_until_accepted, subjects
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.thorough]
ACCEPTED, SENDERS = 60, 8


@pytest.mark.parametrize("sync", ["always", "2m"])
async def test_a_loss_of_power_takes_from_the_streams_only_what_was_not_synced(
    tmp_path: Path, sync: str
) -> None:
    with small_disk(tmp_path / "disk", 200) as disk:
        if disk is None or disk.image is None:
            pytest.skip("a disk that loses what was not synced cannot be mounted here")
        broker = Broker(disk.data, sync=sync)
        await asyncio.to_thread(broker.start)
        system = Processes(broker)
        try:
            system.start("intake")
            await system.ready("intake")
            os.sync()  # streams and databases have stood for a while
            accepted = await _until_the_power_fails(system, disk)
            broker.server.start()
            stored = {
                UUID(subject.split(".")[1]) for subject in await insist(lambda: subjects(broker, "REPORTS"))
            }
            assert bool(accepted - stored) == (sync != "always")
            assert accepted <= await _kept(disk)
        finally:
            system.stop()
            broker.kill()


async def _until_the_power_fails(system: Processes, disk: SmallDisk) -> set[UUID]:
    """The reports that were answered 202 by then."""
    url, accepted, numbers = system.url("intake") + "/v1/reports", set[UUID](), iter(range(10_000))

    async def sender(http: httpx.AsyncClient) -> None:
        for number in numbers:
            accepted.add(report_id_of(await send_until_accepted(http, url, number)))

    async def enough() -> bool:
        return len(accepted) >= ACCEPTED

    async with httpx.AsyncClient(timeout=10) as http:
        senders = [asyncio.create_task(sender(http)) for _ in range(SENDERS)]
        await until(enough)
        disk.power_off()
        system.kill("intake")
        system.broker.kill()
        for task in senders:
            task.cancel()
        await asyncio.wait(senders)
    await insist(lambda: asyncio.to_thread(disk.power_on), 20)
    return accepted


async def _kept(disk: SmallDisk) -> set[UUID]:
    engine = open_engine(f"sqlite+aiosqlite:///{disk.data / 'intake.db'}")
    try:
        async with engine.connect() as connection:
            return {UUID(report_id) for report_id in await connection.scalars(select(reports.c.report_id))}
    finally:
        await engine.dispose()
