"""`netral erase` destroys the key of one part of one report while everything runs, and nothing else."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from contracts.ids import report_id_of
from tests.builders import a_report
from tests.cli.conftest import Netral
from tests.conftest import Broker
from tests.running import System, in_process

pytestmark = pytest.mark.broker
EMAIL = "pelapor@example.test"


async def shown(system: System, broker: Broker, ticket: str) -> dict[str, int]:
    """What intake answers when each part is asked for."""
    token = {"Authorization": f"Bearer {broker.settings.secret('service-token')}"}
    parts = {"dossier": "dossier", "reporter": "reply-address"}
    path = f"/internal/v1/reports/{report_id_of(ticket)}"
    return {
        part: (await system.intake.get(f"{path}/{door}", headers=token)).status_code
        for part, door in parts.items()
    }


async def test_a_part_is_erased_while_everything_runs_and_the_other_stays(
    netral: Netral, fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_DATA_DIR", str(fresh_nats.data_dir))
    async with in_process(fresh_nats) as system:
        sent = await system.send(a_report(reporter__email=EMAIL), "erased")
        ticket = sent.json()["ticket"]
        await system.story(ticket)
        key = wrapped(fresh_nats, ticket)
        assert await shown(system, fresh_nats, ticket) == {"dossier": 200, "reporter": 200}

        ran = await asyncio.to_thread(netral, "erase", ticket.lower(), "--part", "reporter", "--yes")
        assert ran.code == 0, ran.err
        assert "Erased." in ran.out
        assert await shown(system, fresh_nats, ticket) == {"dossier": 200, "reporter": 404}
        assert not any(key in path.read_bytes() for path in fresh_nats.data_dir.glob("intake.db*"))

        ran = await asyncio.to_thread(
            netral, "erase", ticket, "--part", "dossier", stdin=f"{ticket}\n".encode()
        )
        assert ran.code == 0, ran.err
        assert await shown(system, fresh_nats, ticket) == {"dossier": 404, "reporter": 404}
        assert (await system.story(ticket))["decision"], "the case goes on"
        again = await system.send(a_report(reporter__email=EMAIL), "erased")
        assert (again.status_code, again.json()["ticket"]) == (202, ticket), "and is known by its key"


async def test_while_somebody_reads_what_was_before_it_is_not_called_erased(
    netral: Netral, fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_DATA_DIR", str(fresh_nats.data_dir))
    async with in_process(fresh_nats) as system:
        ticket = (await system.send(a_report(reporter__email=EMAIL), "read")).json()["ticket"]
        key, words = wrapped(fresh_nats, ticket), ("erase", ticket, "--part", "reporter", "--yes")
        with closing(sqlite3.connect(fresh_nats.data_dir / "intake.db")) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM reports").fetchone()
            ran = await asyncio.to_thread(netral, *words)
        assert (ran.code, "run it again" in ran.err) == (1, True), ran
        ran = await asyncio.to_thread(netral, *words)
        assert ran.code == 0, ran.err
        assert not any(key in path.read_bytes() for path in fresh_nats.data_dir.glob("intake.db*"))


def wrapped(broker: Broker, ticket: str) -> bytes:
    with closing(sqlite3.connect(broker.data_dir / "intake.db")) as vault:
        found: Any = vault.execute("SELECT reporter_key FROM reports WHERE ticket = ?", (ticket,)).fetchone()
    return bytes(found[0])


async def test_what_is_not_meant_is_not_erased(
    netral: Netral, fresh_nats: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert netral("erase", "NTR-X", "--part", "reporter").err.startswith("erase: there is no vault yet")
    monkeypatch.setenv("NETRAL_DATA_DIR", str(fresh_nats.data_dir))
    async with in_process(fresh_nats) as system:
        ticket = (await system.send(a_report(reporter__email=EMAIL), "kept")).json()["ticket"]
        for words, typed, says in (
            ((ticket, "--part", "name", "--yes"), b"", "--part: 'name' is none; write reporter or dossier"),
            ((ticket, "--part", "reporter"), b"NTR-OTHER\n", "that is another ticket; nothing was erased"),
            (("NTR-OTHER", "--part", "reporter", "--yes"), b"", "no report has the ticket NTR-OTHER"),
        ):
            ran = await asyncio.to_thread(netral, "erase", *words, stdin=typed)
            assert (ran.code, says in ran.err) == (2, True), ran
        assert await shown(system, fresh_nats, ticket) == {"dossier": 200, "reporter": 200}
