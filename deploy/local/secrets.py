"""Makes the secrets of a local installation, once; what is there is never replaced."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path

from contracts.codes import Agency
from deploy.local.files import CannotStart, folder, write

KEYS = ("vault.key", "door.key")
TOKENS = ("service-token", "nats-intake", "nats-routing", "nats-notifications", "nats-operator")
HOLDERS = (*(agency.value for agency in Agency), "OPERATOR")


def ensure(data_dir: Path) -> None:
    """Create what is missing in `data_dir/secrets/` (0700, files 0600). Raises CannotStart."""
    place = folder(folder(data_dir) / "secrets")
    try:
        place.chmod(0o700)
        for name in KEYS:
            _make(place / name, lambda: secrets.token_hex(32), opens=data_dir / "intake.db")
        for name in TOKENS:
            _make(place / name, lambda: secrets.token_urlsafe(32))
        _agency_keys(place / "agency-keys.json")
    except OSError as problem:
        raise CannotStart(
            f"{problem.filename or place}: cannot be written ({problem.strerror}); make room or mend its rights"
        ) from None


def _make(path: Path, draw: Callable[[], str], *, opens: Path | None = None) -> None:
    if path.exists():
        return
    if opens is not None and opens.exists():
        raise CannotStart(
            f"{path}: is missing, and {opens} cannot be read without it; restore it from your copy, "
            "or set NETRAL_DATA_DIR to a new folder"
        )
    write(path, f"{draw()}\n".encode())


def _agency_keys(path: Path) -> None:
    try:
        kept = json.loads(path.read_text()) if path.exists() else {}
        keys = {name: kept.get(name) or secrets.token_urlsafe(32) for name in HOLDERS}
    except (ValueError, AttributeError):
        raise CannotStart(f"{path}: is not a JSON object of keys; restore it, or remove it for new keys") from None
    if kept != {**kept, **keys}:
        write(path, (json.dumps({**kept, **keys}, indent=2) + "\n").encode())
