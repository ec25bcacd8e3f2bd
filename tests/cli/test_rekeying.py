"""`netral rekey` exchanges the key of the vault, is run again wherever it was interrupted, and stays off a vault in use."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.preflight import locked
from deploy.local.secrets import ensure
from services.intake.sealing import key_id_of
from tests.builders import a_report
from tests.cli.conftest import Netral
from tests.conftest import Broker
from tests.intake.test_vault_rekeying import filled, opened, read
from tests.running import in_process

ROOT = Path(__file__).parents[2]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The secrets of a data folder whose vault holds one report."""
    ensure(tmp_path / "data")
    folder = tmp_path / "data" / "secrets"
    (folder / "vault.key").write_text(bytes(32).hex())
    (folder / "door.key").write_text((b"d" * 32).hex())
    asyncio.run(filled(vault_of(tmp_path), 1))
    return folder


def vault_of(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'data' / 'intake.db'}"


def key(path: Path) -> bytes:
    return bytes.fromhex(path.read_text())


async def opens(url: str, with_key: bytes) -> bool:
    vault = await opened(url, with_key)
    try:
        return await read(vault, 1, with_key) == {"n": 1}
    finally:
        await vault.close()


def test_the_new_key_takes_the_place_of_the_old_one_which_stays_beside_it(
    netral: Netral, secrets: Path, tmp_path: Path
) -> None:
    old = key(secrets / "vault.key")
    ran = netral("rekey")
    assert ran.code == 0, ran.err
    assert "1 reports were wrapped anew" in ran.out
    new = key(secrets / "vault.key")
    assert new != old
    assert asyncio.run(opens(vault_of(tmp_path), new))
    assert key(secrets / f"vault.key.{key_id_of(old)}") == old
    assert not (secrets / "vault.key.next").exists()
    for path in secrets.glob("vault.key*"):
        assert path.stat().st_mode & 0o077 == 0
    assert netral("rekey").code == 0
    assert asyncio.run(opens(vault_of(tmp_path), key(secrets / "vault.key")))
    (secrets / f"vault.key.{key_id_of(old)}").chmod(0o644)
    assert f"vault.key.{key_id_of(old)} can be read by other users" in netral("doctor").out


def test_killed_at_any_line_it_is_run_again_and_every_report_opens(tmp_path: Path) -> None:
    """In a process of its own that forks: in this one other threads may hold locks."""
    words = [sys.executable, "-m", "tests.cli.dying_rekeys", str(tmp_path / "data")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 60, "so many lines were tried"


def test_a_key_that_lies_ready_is_the_one_it_takes(netral: Netral, secrets: Path, tmp_path: Path) -> None:
    drawn = b"n" * 32
    (secrets / "vault.key.next").write_text(drawn.hex())
    assert netral("rekey").code == 0
    assert key(secrets / "vault.key") == drawn
    (secrets / "vault.key.next").write_text(drawn.hex())  # a loss of power brought it back
    assert netral("rekey").code == 0
    assert key(secrets / "vault.key") != drawn, "and yet it exchanges"
    assert asyncio.run(opens(vault_of(tmp_path), key(secrets / "vault.key")))


def test_a_link_another_users_key_and_a_running_system_are_left_alone(
    netral: Netral, secrets: Path, tmp_path: Path
) -> None:
    with locked(tmp_path / "data"):
        ran = netral("rekey")
    assert (ran.code, "Netral already runs" in ran.err) == (2, True)
    (secrets / "vault.key").rename(tmp_path / "elsewhere")
    (secrets / "vault.key").symlink_to(tmp_path / "elsewhere")
    ran = netral("rekey")
    assert (ran.code, "is a link" in ran.err) == (2, True)
    if os.geteuid() == 0:
        (secrets / "vault.key").unlink()
        (tmp_path / "elsewhere").rename(secrets / "vault.key")
        os.chown(secrets / "vault.key", 65534, -1)
        ran = netral("rekey")
        assert (ran.code, "run it as that user" in ran.err) == (1, True)
    assert [path.name for path in secrets.glob("vault.key*")] == ["vault.key"]


@pytest.mark.broker
async def test_an_intake_that_runs_keeps_it_off_and_after_a_stop_knows_all_it_knew(
    fresh_nats: Broker, netral: Netral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRAL_DATA_DIR", str(fresh_nats.data_dir))
    async with in_process(fresh_nats) as system:
        first = await system.send(a_report(), "one")
        ran = await asyncio.to_thread(netral, "rekey")
        assert ran.code == 1
        assert not list((fresh_nats.data_dir / "secrets").glob("vault.key.*"))
        assert "the vault is in use; stop `netral up`" in ran.err
    ran = await asyncio.to_thread(netral, "rekey")
    assert ran.code == 0, ran.err
    async with in_process(fresh_nats) as system:
        again = await system.send(a_report(), "one")
        assert (again.status_code, again.json()["ticket"]) == (202, first.json()["ticket"])
        story = await system.story(first.json()["ticket"])
        case = f"/v1/agencies/BAWASLU/cases/{story['case_id']}"
        dossier = (await system.get(case, "BAWASLU")).json()
        assert a_report()["narrative"] in str(dossier)


def test_without_a_vault_or_with_a_wrong_key_it_says_so_and_changes_nothing(
    netral: Netral, secrets: Path, tmp_path: Path
) -> None:
    (secrets / "vault.key").write_text((b"w" * 32).hex())
    ran = netral("rekey")
    assert (ran.code, "opens to another vault.key" in ran.err) == (2, True)
    assert [key(path) for path in secrets.glob("vault.key*")] == [b"w" * 32]
    assert asyncio.run(opens(vault_of(tmp_path), bytes(32)))
    (tmp_path / "data" / "intake.db").unlink()
    ran = netral("rekey")
    assert (ran.code, "holds no vault yet" in ran.err) == (2, True)


def test_reports_of_a_key_that_is_not_here_are_named_and_wait_for_it(
    netral: Netral, secrets: Path, tmp_path: Path
) -> None:
    foreign = b"f" * 32
    asyncio.run(filled(vault_of(tmp_path), 2, foreign=2))
    ran = netral("rekey")
    assert ran.code == 1
    assert "00000000-0000-0000-0000-000000000002: opens with no key that is here" in ran.err
    (secrets / "vault.key.another").write_text(foreign.hex())
    ran = netral("rekey")
    assert (ran.code, "2 reports were wrapped anew" in ran.out) == (0, True)
