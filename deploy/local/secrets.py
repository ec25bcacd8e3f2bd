"""Makes the secrets of a new data folder, once."""

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from contracts.codes import Agency


class CannotStart(Exception):
    """The system cannot start; the text is one sentence with the cause and the cure."""


NATS_USERS = ("intake", "routing", "notifications", "operator")

_MAKERS: dict[str, Callable[[], str]] = {
    "vault.key": lambda: secrets.token_hex(32),
    "door.key": lambda: secrets.token_hex(32),
    "case.key": lambda: secrets.token_hex(32),
    "webhook.key": lambda: secrets.token_hex(32),
    "service-token": lambda: secrets.token_urlsafe(32),
    "metrics-token": lambda: secrets.token_urlsafe(32),
    "ops-token": lambda: secrets.token_urlsafe(32),
    "agency-keys.json": lambda: json.dumps(
        {name: secrets.token_urlsafe(32) for name in (*Agency, "OPERATOR")}, indent=1
    ),
    **{f"nats-{user}": lambda: secrets.token_urlsafe(24) for user in NATS_USERS},
}


IRREPLACEABLE = {"vault.key": "intake.db", "door.key": "intake.db", "webhook.key": "deliveries.db"}
"""Without the first two what lies in intake.db cannot be read, and its receipts no longer open anything; without the
last no agency knows the keys that its webhooks are signed with."""


def ensure(data_dir: Path) -> None:
    """Create the secrets that are missing, readable by their owner only. Raises CannotStart.

    A key that stored reports depend on is never drawn anew: it must be restored.
    """
    folder = data_dir / "secrets"
    for name, database in IRREPLACEABLE.items():
        if (data_dir / database).exists() and not (folder / name).exists():
            raise CannotStart(
                f"{folder / name} is missing although {data_dir / database} depends on it; "
                "restore it from your backup of the keys."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, make in _MAKERS.items():
            if not (folder / name).exists():
                write_private(folder / name, make() + "\n")
        _complete(folder / "agency-keys.json")
    except OSError as problem:
        raise CannotStart(
            f"The data folder {data_dir} cannot be written ({problem.strerror}); "
            "make it writable or set NETRAL_DATA_DIR to another folder."
        ) from None


def _complete(path: Path) -> None:
    """A file of keys from before an agency existed gains a key for it; what stands there is not touched."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return  # routing refuses it, and says what to mend
    missing = [name for name in (*Agency, "OPERATOR") if isinstance(document, dict) and name not in document]
    if missing:
        document |= {name: secrets.token_urlsafe(32) for name in missing}
        write_private(path, json.dumps(document, indent=1) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600, whole or not at all."""
    unfinished = path.with_suffix(path.suffix + ".new")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names of its files survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
