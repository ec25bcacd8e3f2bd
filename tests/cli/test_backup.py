"""A backup taken under load becomes the same system on an empty machine: nothing accepted is missing, nothing doubled."""

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML

from deploy.local.nats_server import binary
from deploy.local.preflight import check_restored
from deploy.local.secrets import ensure
from services.cli import databases
from services.cli.backup import digest
from services.cli.errors import Stop
from services.runtime.bus import Bus
from services.runtime.reading import page_of
from tests.conftest import Broker
from tests.flow.test_kill import send_until_accepted, subjects
from tests.forked import COMMAND, ran
from tests.ports import free_port
from tests.running import Processes, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
NETRAL = [sys.executable, "-c", "from services.cli.main import main; raise SystemExit(main())"]
BEFORE, AFTER = 20, 15
CHART = Path(__file__).parents[2] / "deploy" / "kubernetes" / "nats-chart"


def netral(env: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    return ran([COMMAND, *map(str, words)], {**os.environ, **env})


async def decided(broker: Broker) -> set[str]:
    return {subject for subject in await subjects(broker, "CASES") if subject.endswith(".decided")}


async def test_a_backup_under_load_is_restored_on_an_empty_machine(
    fresh_nats: Broker, tmp_path: Path
) -> None:
    system = Processes(fresh_nats)
    names = ["smtp", "intake", "routing", "notifications"]
    for name in names:
        system.start(name)
    for name in names[1:]:
        await system.ready(name)
    folder, keys = tmp_path / "backup", tmp_path / "keys"
    try:
        async with httpx.AsyncClient(timeout=30) as http:
            url = system.url("intake") + "/v1/reports"
            await asyncio.gather(*(send_until_accepted(http, url, n) for n in range(BEFORE)))
            sent = await until(lambda: _sent(fresh_nats))
            more = [asyncio.create_task(send_until_accepted(http, url, BEFORE + n)) for n in range(AFTER)]
            done = await asyncio.to_thread(netral, system.env(), "backup", folder, "--keys", keys)
            assert done.returncode == 0, done.stderr
            await asyncio.gather(*more)
    finally:
        system.stop()
    assert not list(folder.rglob("*.key"))
    assert not [p for p in (*folder.rglob("*"), folder, *keys.rglob("*"), keys) if p.stat().st_mode & 0o077]
    assert (keys / "vault.key").read_text() == (fresh_nats.data_dir / "secrets" / "vault.key").read_text()

    empty = Broker.__new__(Broker)
    empty.data_dir, empty.port, empty.monitor_port = tmp_path / "empty", free_port(), free_port()
    env = {"NETRAL_DATA_DIR": str(empty.data_dir), "NETRAL_NATS_URL": f"nats://127.0.0.1:{empty.port}"}
    env["NETRAL_MONITOR_PORT"] = str(empty.monitor_port)
    done = await asyncio.to_thread(netral, env, "restore", folder, "--keys", keys)
    assert done.returncode == 0, done.stderr
    check_restored(empty.data_dir)
    empty.__post_init__()
    empty.server.start()
    await empty._provision()
    again = Processes(empty)
    try:
        for name in names:
            again.start(name)
        for name in names[1:]:
            await again.ready(name)
        accepted = {s.split(".")[1] for s in await subjects(empty, "REPORTS")}
        assert BEFORE <= len(accepted) <= BEFORE + AFTER
        await until(lambda: _all_decided(empty, len(accepted)), 60)
        assert set((await subjects(empty, "CASES")).values()) == {1}
        assert not sent & mails(empty), "what was mailed before the backup is not mailed again"
    finally:
        again.stop()
        empty.stop()


def mails(broker: Broker) -> set[str]:
    return {path.name for path in (broker.data_dir / "inbox").glob("*.eml")}


async def _records(broker: Broker) -> dict[str, bytes]:
    """What CASES holds of decisions and offers: what is said of limits is said anew."""
    bus = await Bus.connect(broker.settings, "operator")
    page = await page_of(bus, "CASES", 1)
    await bus.close()
    return {stored.subject: stored.body for stored in page if ".due." not in stored.subject}


async def _sent(broker: Broker) -> set[str]:
    return found if len(found := mails(broker)) > 20 else set()


async def _all_decided(broker: Broker, number: int) -> bool:
    return len(await decided(broker)) == number


@pytest.mark.parametrize(
    ("with_backup", "with_views"),
    [(True, False), (False, True)],
    ids=["with a backup and no views", "with the views and no backup"],
)
async def test_where_only_the_broker_is_lost_the_vault_that_is_here_tells_what_the_backup_misses(
    fresh_nats: Broker, tmp_path: Path, with_backup: bool, with_views: bool
) -> None:
    system = Processes(fresh_nats)
    names = ["smtp", "intake", "routing", "notifications"]
    env = {**system.env(), "NETRAL_MONITOR_PORT": str(fresh_nats.monitor_port)}
    folder = tmp_path / "backup"
    url = system.url("intake") + "/v1/reports"

    async def start() -> None:
        for name in names:
            system.start(name)
        for name in names[1:]:
            await system.ready(name)

    async def accepted(first: int) -> None:
        async with httpx.AsyncClient(timeout=30) as http:
            await asyncio.gather(*(send_until_accepted(http, url, first + n) for n in range(5)))

    async def as_promised() -> bool:
        kept = (await asyncio.to_thread(netral, env, "verify")).returncode == 0
        await asyncio.sleep(0 if kept else 3)  # to ask takes a core for a second
        return kept

    try:
        await start()
        await accepted(0)
        if with_backup:
            done = await asyncio.to_thread(netral, env, "backup", folder)
            assert done.returncode == 0, done.stderr
        await accepted(5)
        await until(as_promised, 60)
    finally:
        system.stop()
    sent, records = mails(fresh_nats), await _records(fresh_nats)
    fresh_nats.stop()
    shutil.rmtree(fresh_nats.data_dir / "nats")
    words = ["restore", "--keep-vault", *([folder] if with_backup else [])]
    refused = await asyncio.to_thread(netral, env, *words)
    assert (refused.returncode, "move it away" in refused.stderr) == (1, True), refused.stderr
    for name in ("deliveries",) if with_views else ("routing", "deliveries"):
        for path in fresh_nats.data_dir.glob(f"{name}.db*"):
            path.unlink()
    done = await asyncio.to_thread(netral, env, *words)
    assert done.returncode == 0, done.stderr
    assert f"from the vault: {5 if with_backup else 10} reports" in done.stdout
    try:
        fresh_nats.server.start()
        await start()
        assert (await asyncio.to_thread(netral, env, "mend")).returncode == 0
        await until(as_promised, 60)
        if with_views:
            assert records.items() <= (await _records(fresh_nats)).items(), "the very same records"
        assert mails(fresh_nats) >= sent
        ids = [name.partition(".")[0] for name in mails(fresh_nats)]
        assert len(set(ids)) == len(ids), "nothing is mailed again"
    finally:
        system.stop()


def test_without_a_vault_there_is_none_to_keep(tmp_path: Path) -> None:
    env = {"NETRAL_DATA_DIR": str(tmp_path)}
    assert "holds nothing; without --keep-vault" in netral(env, "restore", "--keep-vault").stderr
    assert "name the folder of a backup" in netral(env, "restore").stderr


def test_what_a_killed_service_left_beside_its_database_is_not_read_into_the_copy(tmp_path: Path) -> None:
    env = {"NETRAL_DATA_DIR": str(tmp_path)}
    for name in ("intake.db", "notifications.db", "routing.db-wal"):
        (tmp_path / name).write_bytes(b"x")
    refused = netral(env, "restore", "--keep-vault")
    assert (refused.returncode, "move it away with its -wal" in refused.stderr) == (1, True), refused.stderr
    with pytest.raises(Stop, match="exists, or its -wal"):
        databases.load(tmp_path / "intake.db", f"sqlite+aiosqlite:///{tmp_path}/routing.db")


def test_a_damaged_backup_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    env = {"NETRAL_DATA_DIR": str(tmp_path / "data")}
    assert "is not a backup" in netral(env, "restore", folder).stderr
    (folder / "intake.db").write_bytes(b"other bytes")
    manifest = {
        "format": 1,
        "began_at": "x",
        "streams": {},
        "databases": ["intake"],
        "files": {"intake.db": "0" * 64},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = netral(env, "restore", folder)
    assert (done.returncode, "damaged" in done.stderr) == (2, True)
    assert not (tmp_path / "data").exists()
    (folder / "manifest.json").write_text(json.dumps({**manifest, "files": {}}))
    assert "--keys FOLDER" in netral(env, "restore", folder).stderr


def broken_backup(tmp_path: Path) -> tuple[Path, Path]:
    """A backup of a vault that is no database, and its keys."""
    folder, keys = tmp_path / "backup", tmp_path / "keys"
    ensure(tmp_path / "old")
    shutil.copytree(tmp_path / "old" / "secrets", keys)
    folder.mkdir()
    (folder / "intake.db").write_bytes(b"no database")
    manifest = {"format": 1, "began_at": "x", "streams": {}, "databases": ["intake"], "files": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder, keys


@pytest.mark.parametrize(
    ("place", "words", "said"),
    [
        ("nats://elsewhere.invalid:4222", (), "--broker-elsewhere"),
        ("nats://127.0.0.1:{port}", ("--broker-elsewhere",), "broke off"),
    ],
)
def test_without_its_broker_a_restore_fills_no_database(
    tmp_path: Path, place: str, words: tuple[str, ...], said: str
) -> None:
    folder, keys = broken_backup(tmp_path)
    data = tmp_path / "data"
    env = {"NETRAL_DATA_DIR": str(data), "NETRAL_NATS_URL": place.format(port=free_port())}
    done = netral(env, "restore", folder, "--keys", keys, *words)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert not (data / "intake.db").exists()


@pytest.mark.parametrize("setting", ["NETRAL_NATS_URL", "NETRAL_MONITOR_PORT"])
def test_a_restore_starts_no_broker_where_another_one_runs(tmp_path: Path, setting: str) -> None:
    folder, keys = broken_backup(tmp_path)
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports = {"NETRAL_NATS_URL": free_port(), "NETRAL_MONITOR_PORT": free_port(), setting: taken}
        env = {"NETRAL_DATA_DIR": str(data), "NETRAL_MONITOR_PORT": str(ports["NETRAL_MONITOR_PORT"])}
        env["NETRAL_NATS_URL"] = f"nats://127.0.0.1:{ports['NETRAL_NATS_URL']}"
        done = netral(env, "restore", folder, "--keys", keys)
    assert (done.returncode, f"Port {taken} cannot be used" in done.stderr) == (1, True), done.stderr
    assert setting in done.stderr
    assert not data.exists()


def test_where_a_restore_broke_off_nothing_starts_and_none_goes_on(tmp_path: Path) -> None:
    folder, keys = broken_backup(tmp_path)
    data = tmp_path / "data"
    port, monitor = free_port(), free_port()
    env = {"NETRAL_DATA_DIR": str(data), "NETRAL_NATS_URL": f"nats://127.0.0.1:{port}"}
    env["NETRAL_MONITOR_PORT"] = str(monitor)
    assert netral(env, "restore", folder, "--keys", keys).returncode == 1
    for words in (("restore", folder, "--keys", keys), ("up",)):
        done = netral(env, *words)
        assert (done.returncode, "broke off" in done.stderr) == (1, True), done.stderr


def test_keys_do_not_lie_in_the_backup(tmp_path: Path) -> None:
    done = netral(
        {"NETRAL_DATA_DIR": str(tmp_path)}, "backup", tmp_path / "b", "--keys", tmp_path / "b" / "keys"
    )
    assert done.returncode == 2
    assert "apart" in done.stderr
    assert not (tmp_path / "b").exists()


def test_a_server_of_a_cluster_gets_its_own_configuration(tmp_path: Path) -> None:
    env = {"NETRAL_DATA_DIR": str(tmp_path)}
    refused = netral(env, "broker-config", "--listen", "4222")
    assert (refused.returncode, "HOST:PORT" in refused.stderr) == (2, True)
    done = netral(env, "broker-config", "--new-secrets", "--node", "n1", "--route", "nats://127.0.0.1:6223")
    assert done.returncode == 0, done.stderr
    written = Path(done.stdout.strip()).read_text()
    assert 'server_name: "n1"' in written
    assert 'routes: ["nats://127.0.0.1:6223"]' in written
    assert 'sync_interval: "always"' in written, "what survives a loss of power"
    done = netral({**env, "NETRAL_BROKER_SYNC": "30s"}, "broker-config")
    assert 'sync_interval: "30s"' in Path(done.stdout.strip()).read_text()
    refused = netral({**env, "NETRAL_BROKER_SYNC": "seldom"}, "broker-config")
    assert (refused.returncode, "NETRAL_BROKER_SYNC" in refused.stderr) == (2, True)


def test_the_accounts_alone_fit_into_a_configuration_from_elsewhere(tmp_path: Path) -> None:
    """As the chart of NATS writes it, of deploy/kubernetes/nats-chart/values.yaml."""
    done = netral({"NETRAL_DATA_DIR": str(tmp_path)}, "broker-config", "--new-secrets")
    assert done.returncode == 0, done.stderr
    values = YAML(typ="safe").load((CHART / "values.yaml").read_text())["config"]
    own = values["merge"]
    outer = tmp_path / "nats-config" / "nats.conf"
    outer.parent.mkdir()
    (tmp_path / "nats").rename(tmp_path / "netral-broker")
    outer.write_text(
        f"""{{
include {own["$include"]};
"max_payload": {own["max_payload"].strip("<> ")}, "max_pending": {own["max_pending"].strip("<> ")},
"jetstream": {{"store_dir": "{tmp_path}/js", "sync_interval": "{values["jetstream"]["merge"]["sync_interval"]}"}}
}}"""
    )
    checked = subprocess.run([binary(), "-t", "-c", outer], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def damaged(folder: Path) -> list[str]:
    """What is missing of a backup, or is not what its manifest says."""
    files: dict[str, str] = json.loads((folder / "manifest.json").read_text())["files"]
    return [name for name, wanted in files.items() if digest(folder / name) != wanted]


def test_of_two_backups_into_one_folder_the_second_leaves_it_to_the_first(
    fresh_nats: Broker, tmp_path: Path
) -> None:
    env = {**os.environ, **Processes(fresh_nats).env()}
    folder, keys = tmp_path / "backup", tmp_path / "keys"
    words = ("backup", folder, "--keys", keys)
    views = sqlite3.connect(fresh_nats.data_dir / "routing.db", isolation_level=None)
    views.execute("CREATE TABLE t (n INTEGER)")
    views.execute("BEGIN EXCLUSIVE")  # the first can copy none of it, and waits
    with subprocess.Popen([*NETRAL, *map(str, words)], env=env) as first, closing(views):
        while not (tmp_path / "backup.unfinished" / "streams").exists():
            assert first.poll() is None
            time.sleep(0.01)
        second = netral(env, *words)
    assert (second.returncode, "another one is writing" in second.stderr) == (1, True), second.stderr
    assert (first.returncode, damaged(folder)) == (0, [])


def test_a_backup_without_room_for_everything_is_none_and_says_what_had_no_room(
    fresh_nats: Broker, tmp_path: Path
) -> None:
    env = {**os.environ, **Processes(fresh_nats).env()}
    with sqlite3.connect(fresh_nats.data_dir / "intake.db") as vault:
        vault.execute("CREATE TABLE t AS SELECT zeroblob(9000000)")
    argv = ["prlimit", "--fsize=5000000", *NETRAL, "backup", tmp_path / "backup", "--keys", tmp_path / "keys"]
    done = subprocess.run(list(map(str, argv)), env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "intake.db: cannot be copied" in done.stderr) == (1, True), done.stderr
    assert not [path for name in ("backup", "keys") if (path := tmp_path / name).exists()]


def test_keys_that_cannot_be_copied_are_named_and_leave_no_backup(fresh_nats: Broker, tmp_path: Path) -> None:
    env = Processes(fresh_nats).env()
    (fresh_nats.data_dir / "secrets" / "gone.key").symlink_to(tmp_path / "nowhere")
    done = netral(env, "backup", tmp_path / "backup", "--keys", tmp_path / "keys")
    assert (done.returncode, "gone.key: cannot be copied" in done.stderr) == (1, True), done.stderr
    assert not [path for name in ("backup", "keys") if (path := tmp_path / name).exists()]
