"""`netral backup`: everything that must survive, into one folder, while the system runs; the keys apart.

The order makes every mixture of moments harmless: the case views and the queue of webhooks first (they catch up from the
streams), then the streams, then vault and ledger (a report that is in the vault but not in the stream is told again at
the restore).
"""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats

from contracts.topology import STREAMS
from deploy.snapshots import SnapshotFailed, save
from services.cli import databases
from services.cli.console import tables
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.web import settings_of
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.routing.settings import RoutingSettings
from services.runtime.clock import Clock, now
from services.runtime.connecting import connection
from services.runtime.settings import Settings

MANIFEST = "manifest.json"
FORMAT = 1
Say = Callable[[str], None]


def addresses() -> dict[str, str]:
    """The database of each service, by the name its copy has."""
    return {
        "routing": settings_of(RoutingSettings).cases_address,
        "deliveries": settings_of(RoutingSettings).deliveries_address,
        "intake": settings_of(IntakeSettings).vault_address,
        "notifications": settings_of(NotificationsSettings).ledger_address,
    }


def backup(folder: Path, keys: Path | None, *, clock: Clock = now) -> None:
    """Write a backup into `folder`, which must not exist, and the secrets into the folder `keys`. Raises Stop."""
    settings = settings_of(Settings)
    for wanted in (folder, *([keys] if keys else [])):
        if wanted.exists():
            raise Stop(f"backup: {wanted} exists; name a folder that does not", BAD_INPUT)
    if keys and keys.resolve().is_relative_to(folder.resolve()):
        raise Stop("backup: --keys lies in the backup; keys are kept apart from what they open", BAD_INPUT)
    os.umask(0o077)  # a copy is no more for everybody to read than what it is of
    with _unfinished(folder) as copy:
        (copy / "streams").mkdir(mode=0o700)
        began = clock()
        manifest = {"format": FORMAT, "began_at": began.isoformat(), **_everything(settings, copy)}
        manifest["ended_at"] = clock().isoformat()
        (copy / MANIFEST).write_text(json.dumps(manifest, indent=1))
        if keys:
            with _unfinished(keys) as secrets:
                _copy_keys(settings.data_dir / "secrets", secrets)
                secrets.chmod(0o700)
                secrets.rename(keys)
        copy.rename(folder)
    _say(folder, keys, manifest)


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """An empty folder beside it, for one backup at a time; what an interrupted one left is thrown away. Raises Stop."""
    beside = folder.with_name(folder.name + ".unfinished")
    beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(beside, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.path.samestat(os.fstat(held), beside.stat())
        except (BlockingIOError, FileNotFoundError):
            ours = False
        if not ours:
            raise Stop(f"backup: another one is writing {folder}; name another folder", TROUBLE)
        for left in beside.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield beside
    finally:
        os.close(held)


def _copy_keys(source: Path, target: Path) -> None:
    """Raises Stop with the first file that could not be copied."""
    try:
        shutil.copytree(source, target, dirs_exist_ok=True)
    except shutil.Error as trouble:
        of, to, why = trouble.args[0][0]
        raise Stop(f"backup: {of}: cannot be copied to {to} ({why})", TROUBLE) from None


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _everything(settings: Settings, folder: Path) -> dict[str, Any]:
    where = addresses()
    kept = [name for name in ("routing", "deliveries") if databases.save(where[name], folder / f"{name}.db")]
    streams = asyncio.run(_streams(settings, folder / "streams"))
    kept += [n for n in ("intake", "notifications") if databases.save(where[n], folder / f"{n}.db")]
    register = settings.data_dir / "nats" / "agencies.json"
    if register.exists():
        shutil.copyfile(register, folder / "agencies.json")
    files = {str(p.relative_to(folder)): digest(p) for p in sorted(folder.rglob("*")) if p.is_file()}
    return {"streams": streams, "databases": kept, "files": files}


async def _streams(settings: Settings, folder: Path) -> dict[str, Any]:
    try:
        nc = await asyncio.wait_for(nats.connect(**connection(settings, "operator")), 10)
    except (OSError, TimeoutError, nats.errors.Error):
        raise Stop(
            f"{settings.broker_shown}: the broker does not answer; a backup needs it", TROUBLE
        ) from None
    try:
        there = {info.config.name for info in await nc.jetstream().streams_info()}
        return {s.name: await save(nc, s.name, folder / s.name) for s in STREAMS if s.name in there}
    except SnapshotFailed as problem:
        raise Stop(f"backup: {problem}", TROUBLE) from None
    finally:
        await nc.close()


def _say(folder: Path, keys: Path | None, manifest: dict[str, Any]) -> None:
    messages = sum(stream["state"]["messages"] for stream in manifest["streams"].values())
    out = tables()
    out.print(f"{folder}: {messages} messages of {len(manifest['streams'])} streams, ", markup=False, end="")
    out.print(f"{len(manifest['databases'])} databases, as of {manifest['began_at']}", markup=False)
    if keys:
        out.print(f"{keys}: the secrets. Keep them on another medium than the backup.", markup=False)
    else:
        out.print(
            "Without the secrets: sealed reports open only with them; --keys FOLDER copies them.",
            markup=False,
        )
