"""`netral restore`: a backup becomes a system again on an empty machine, and nothing accepted is missing."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from deploy.local.nats_server import NatsServer
from deploy.local.preflight import UNFINISHED, check_ports, check_restored
from deploy.local.secrets import CannotStart, ensure
from deploy.local.settings import HERE, UpSettings
from deploy.snapshots import SnapshotFailed, load
from deploy.streams import provision
from services.cli import databases
from services.cli.backup import FORMAT, MANIFEST, addresses, digest
from services.cli.console import tables
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.telling_again import forget_marks, tell_cases, tell_reports, untell_notices
from services.cli.web import settings_of
from services.runtime.bus import Bus
from services.runtime.connecting import connection

KEPT = frozenset({"intake", "notifications"})
"""Databases that know what no stream can tell again: the vault, and the ledger of mails. They are needed."""
HELPS = "routing"
"""The views keep every record of a case whole: where they are here too, no step is lost with the broker."""


def restore(folder: Path | None, keys: Path | None, *, elsewhere: bool, keep_vault: bool) -> None:
    """Restore `folder`; the broker is one of this data folder, or with `elsewhere` a running, empty one. Raises Stop.

    With `keep_vault` the vault and the ledger that are here stay, which know more than their copies.
    """
    settings = settings_of(UpSettings)
    manifest = _what(folder, keep_vault=keep_vault)
    try:
        if not keep_vault:
            check_restored(settings.data_dir)
        own = None if elsewhere else _own_server(settings)
        _put_keys(settings, keys)
        if folder and (folder / "agencies.json").exists():
            (settings.data_dir / "nats").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / "agencies.json", settings.data_dir / "nats" / "agencies.json")
        told = asyncio.run(_refill(settings, folder or Path(), manifest, own, keep_vault=keep_vault))
    except (SnapshotFailed, CannotStart) as problem:
        raise Stop(f"restore: {problem}", TROUBLE) from None
    except SQLAlchemyError as trouble:
        says = f"restore: a database that is here cannot be read ({type(trouble).__name__}); move routing.db away"
        raise Stop(says, TROUBLE) from None
    out = tables()
    of = f"as of {manifest['began_at']}" if folder else "without a backup"
    out.print(f"Restored {of}. Told again from the vault: {told} reports.", markup=False)
    out.print(f"Next: `netral up`, {'`netral mend`, ' if keep_vault else ''}then `netral verify`.")


def _what(folder: Path | None, *, keep_vault: bool) -> dict[str, Any]:
    if folder is None and not keep_vault:
        raise Stop(
            "restore: name the folder of a backup; only with --keep-vault it may be left out", BAD_INPUT
        )
    manifest = _manifest(folder) if folder else {"databases": [], "streams": {}, "began_at": None}
    if keep_vault:
        manifest["views_stay"] = databases.is_there(addresses()[HELPS])
        stay = KEPT | ({HELPS} if manifest["views_stay"] else set())
        manifest["databases"] = [name for name in manifest["databases"] if name not in stay]
        _only_these_stay()
    return manifest


def _only_these_stay() -> None:
    """Deliveries of a longer log would point to what the restored one does not hold. Raises Stop."""
    for name, address in addresses().items():
        there = databases.holds(address)
        where = make_url(address).render_as_string(hide_password=True)
        if name in KEPT and not there:
            raise Stop(
                f"restore: {where} holds nothing; without --keep-vault it comes from a backup", BAD_INPUT
            )
        if name not in KEPT and there and not (name == HELPS and databases.is_there(address)):
            raise Stop(f"restore: {where} is not empty; move it away with its -wal, or empty it", TROUBLE)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        raise Stop(f"{folder}: is not a backup (no {MANIFEST} that can be read)", BAD_INPUT) from None
    if manifest.get("format") != FORMAT:
        raise Stop(f"{folder}: was written by another release (format {manifest.get('format')})", BAD_INPUT)
    for name, wanted in manifest["files"].items():
        path = folder / name
        if not path.is_file() or digest(path) != wanted:
            raise Stop(f"{path}: is missing or damaged; take another backup", BAD_INPUT)
    return manifest


def _put_keys(settings: UpSettings, keys: Path | None) -> None:
    """The secrets come first: without them nothing in the backup can be opened."""
    secrets = settings.data_dir / "secrets"
    if keys:
        if secrets.exists():
            raise Stop(f"restore: {secrets} exists; restore into an empty data folder", TROUBLE)
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(keys, secrets)
        secrets.chmod(0o700)
    if not (secrets / "vault.key").exists():
        raise Stop(
            f"restore: {secrets} holds no vault.key; name the folder of the keys: --keys FOLDER", BAD_INPUT
        )
    try:
        ensure(settings.data_dir)
    except CannotStart as problem:
        raise Stop(f"restore: {problem}", TROUBLE) from None


async def _refill(
    settings: UpSettings, folder: Path, manifest: dict[str, Any], own: NatsServer | None, *, keep_vault: bool
) -> int:
    """Databases, then streams, once the broker is known to answer and to be empty; how many reports were told again."""
    where = addresses()
    async with _broker(settings, own) as nc:
        js = nc.jetstream(timeout=15)
        if there := [info.config.name for info in await js.streams_info()]:
            raise Stop(f"restore: the broker already has the stream {there[0]}; it must be empty", TROUBLE)
        (settings.data_dir / UNFINISHED).touch()
        for name in manifest["databases"]:
            await asyncio.to_thread(databases.load, folder / f"{name}.db", where[name])
        for name, described in manifest["streams"].items():
            await load(nc, name, folder / "streams" / name, described, _for_here(settings.nats_replicas))
        await provision(js, replicas=settings.nats_replicas)
        bus = Bus(nc)
        if keep_vault:
            await untell_notices(bus, where["notifications"])
        if manifest.get("views_stay"):
            await tell_cases(bus, where[HELPS])
            await forget_marks(where[HELPS])
        told = await tell_reports(bus, where["intake"])
    (settings.data_dir / UNFINISHED).unlink()
    return told


def _for_here(replicas: int) -> Any:
    return lambda config: {**config, "num_replicas": replicas}


def _own_server(settings: UpSettings) -> NatsServer:
    if urlsplit(settings.nats_url).hostname not in HERE:
        raise CannotStart(
            f"NETRAL_NATS_URL is {settings.broker_shown}: if an empty broker runs there, say --broker-elsewhere; "
            "to fill the data folder of one that does not run, set nats://127.0.0.1:4222."
        )
    check_ports(settings, broker_only=True)
    return NatsServer(settings.data_dir, settings.nats_port, settings.monitor_port)


@asynccontextmanager
async def _broker(settings: UpSettings, server: NatsServer | None) -> AsyncIterator[Client]:
    if server:
        await asyncio.to_thread(server.start)
    try:
        nc = await asyncio.wait_for(nats.connect(**connection(settings, "operator")), 10)
        try:
            yield nc
        finally:
            await nc.close()
    except (OSError, TimeoutError, nats.errors.Error) as trouble:
        raise Stop(
            f"{settings.broker_shown}: the broker broke off ({type(trouble).__name__})", TROUBLE
        ) from None
    finally:
        if server:
            await asyncio.to_thread(server.stop)
