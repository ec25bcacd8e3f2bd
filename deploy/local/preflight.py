"""What is looked at before anything starts: free ports, and nobody else on the data folder."""

import contextlib
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deploy.local.secrets import CannotStart
from deploy.local.settings import HERE_TOO, UpSettings

_LONGEST = 450
"""Bytes of the path of a data folder."""
ROOM = 64 << 20
"""Bytes that streams and databases take before a day is over."""
UNFINISHED = "restore.unfinished"
"""Lies in a data folder while `netral restore` fills it."""


def check_ports(settings: UpSettings, *, broker_only: bool = False) -> None:
    """Every port is free, before anything starts. Raises CannotStart naming the setting that moves it."""
    broker = {"NETRAL_NATS_URL": settings.nats_port, "NETRAL_MONITOR_PORT": settings.monitor_port}
    others = {
        **(
            {"NETRAL_SMTP_PORT": settings.smtp_port, "NETRAL_INBOX_PORT": settings.inbox_port}
            if settings.own_inbox
            else {}
        ),
        "NETRAL_BOUNCE_PORT": settings.bounce_port,
        "NETRAL_INTAKE_PORT": settings.intake_port,
        "NETRAL_ROUTING_PORT": settings.routing_port,
        "NETRAL_NOTIFICATIONS_PORT": settings.notifications_port,
        "NETRAL_OPS_PORT": settings.ops_port,
    }
    for name, port in (broker if broker_only else broker | others).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as problem:
                raise CannotStart(
                    f"Port {port} cannot be used ({problem.strerror}); stop what uses it or set {name} to another one."
                ) from None


def check_hosts(settings: UpSettings) -> None:
    """Every part will be found where the others look for it. Raises CannotStart."""
    for name in ("intake_host", "routing_host", "notifications_host", "ops_host"):
        if (host := getattr(settings, name)) not in HERE_TOO:
            raise CannotStart(
                f"NETRAL_{name.upper()} is {host}, but the parts of `netral up` find each other at 127.0.0.1; "
                "listen there or on 0.0.0.0, or start the services one by one."
            )


def check_restored(data_dir: Path) -> None:
    """No restore broke off here: what lacks half of its streams would begin to work with the rest. Raises CannotStart."""
    if (data_dir / UNFINISHED).exists():
        raise CannotStart(
            f"A restore into {data_dir} broke off; empty the folder (but for a vault and a ledger that were to stay) "
            "and restore again."
        )


def check_path(data_dir: Path) -> None:
    """Databases can be opened there: SQLite takes paths of 512 bytes, with what it adds to them. Raises CannotStart."""
    if len(os.fsencode(data_dir.resolve())) > _LONGEST:
        raise CannotStart(
            f"The path of the data folder has more than {_LONGEST} bytes; set NETRAL_DATA_DIR to a shorter one."
        )


def short_of_room(data_dir: Path, room: int = ROOM) -> str | None:
    """What to say where there is hardly any room; a system that stopped for want of it must start again all the same."""
    free = shutil.disk_usage(data_dir).free
    if free >= room:
        return None
    return (
        f"Only {free / 2**20:.1f} MiB are free in {data_dir}; Netral needs some {room >> 20} MiB to begin with. "
        "What cannot be stored is refused until there is room."
    )


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Only one system may use a data folder: nats-server itself does not lock its storage."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file: IO[str] = (data_dir / "netral.lock").open("a+")
    except OSError as problem:
        raise CannotStart(
            f"The data folder {data_dir} cannot be written ({problem.strerror}); "
            "make it writable or set NETRAL_DATA_DIR to another folder."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise CannotStart(
                f"Netral already runs on {data_dir} (process {file.read().strip() or 'unknown'}); "
                "stop it first or set NETRAL_DATA_DIR to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
