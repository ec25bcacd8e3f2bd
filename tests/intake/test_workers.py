"""Several intake processes on one PostgreSQL vault: the database decides, nothing is lost and nothing is doubled."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta

import httpx
import pytest

from services.intake.vault import Vault
from services.runtime.bus import Bus
from services.runtime.database import open_engine
from tests.builders import a_report
from tests.intake.test_vault import MOMENT, UUID, an_entry
from tests.ports import free_port
from tests.running import until

LATER = MOMENT + timedelta(days=1)


@pytest.fixture
async def vaults(postgres):
    address = postgres.new_database()
    opened = [Vault(open_engine(address)) for _ in range(2)]
    for vault in opened:
        await vault.start()
    yield opened
    for vault in opened:
        await vault.close()


async def test_of_two_workers_that_keep_one_report_at_one_instant_one_is_fresh(vaults):
    told = [vaults[n % 2].keep(an_entry(n // 2, mac=bytes([n]))) for n in range(200)]
    standing = await asyncio.gather(*told)
    for one, other in zip(standing[::2], standing[1::2], strict=True):
        assert (one.fresh, other.fresh) in ((True, False), (False, True))
        assert one.body_mac == other.body_mac


async def test_a_worker_does_not_delete_what_another_is_telling(vaults):
    first, second = vaults
    assert (await first.keep(an_entry())).fresh
    assert not (await second.keep(an_entry())).fresh
    await first.forget(UUID(int=1))
    assert await second.find(UUID(int=1))
    assert [w.report_id for w in await first.waiting(LATER)] == [UUID(int=1)]


async def test_a_claim_that_nobody_follows_up_is_taken_off_and_the_report_forgotten(vaults):
    first, second = vaults
    for vault in vaults:
        await vault.keep(an_entry())
    await first.doubt([UUID(int=1)])
    await second.keep(an_entry())  # sent again in between
    await first.forget(UUID(int=1))
    assert await second.find(UUID(int=1))
    await first.doubt([UUID(int=1)])
    await first.forget(UUID(int=1))
    assert await second.find(UUID(int=1)) is None


async def test_two_workers_that_note_and_claim_each_other_s_reports_never_wait_in_a_ring(vaults):
    first, second = vaults
    for n in range(2, 62, 2):
        await asyncio.gather(first.keep(an_entry(n)), second.keep(an_entry(n + 1)))
        first.accept(UUID(int=n))
        second.accept(UUID(int=n + 1))
        await asyncio.gather(first.keep(an_entry(n + 1)), second.keep(an_entry(n)))


@pytest.mark.broker
async def test_two_processes_that_get_one_report_at_one_instant_make_one_case(fresh_nats, postgres):
    vault, ports, processes = postgres.new_database(), [free_port(), free_port()], []
    shared = {
        **os.environ,
        "NETRAL_DATA_DIR": str(fresh_nats.data_dir),
        "NETRAL_NATS_URL": fresh_nats.settings.nats_url,
        "NETRAL_VAULT_URL": vault,
    }
    try:
        for port in ports:
            env = {**shared, "NETRAL_INTAKE_PORT": str(port)}
            processes.append(started(env))
        async with httpx.AsyncClient(timeout=20) as http:
            for port in ports:
                await until(lambda port=port: ready(http, port))
            keyed = [send(http, ports[n % 2], f"key-{n // 4}") for n in range(40)]
            copies = [send(http, ports[n % 2], f"copy-{n}") for n in range(20)]
            answers = await asyncio.gather(*keyed, *copies)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)
    assert {answer.status_code for answer in answers} == {202}
    tickets = [answer.json()["ticket"] for answer in answers]
    assert len(set(tickets[:40])) == 10
    assert len(set(tickets[40:])) == 20
    bus = await Bus.connect(fresh_nats.settings, "operator")
    info = await bus.js.stream_info("REPORTS", subjects_filter="reports.*.accepted")
    raw = [(await bus.read(subject)).decode() for subject in info.state.subjects]
    await bus.close()
    assert len(raw) == 30
    assert len({text.split('"case_id":"')[1][:36] for text in raw}) == 1


def started(env):
    return subprocess.Popen([sys.executable, "-m", "services.intake"], env=env)


async def ready(http, port):
    try:
        return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


async def send(http, port, key):
    body = a_report(person__name="Kanari Satu")
    return await http.post(f"http://127.0.0.1:{port}/v1/reports", json=body, headers={"Idempotency-Key": key})
