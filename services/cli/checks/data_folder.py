"""Checks the data folder and the secrets in it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from deploy.local.secrets import NATS_USERS
from services.cli.checks.finding import Finding, fail, ok

SECRETS = (
    "vault.key",
    "door.key",
    "case.key",
    "webhook.key",
    "service-token",
    "metrics-token",
    "ops-token",
    "agency-keys.json",
    *(f"nats-{user}" for user in NATS_USERS),
)


def data_folder(data_dir: Path) -> Iterator[Finding]:
    """Findings about the data folder; nothing is created."""
    if not data_dir.is_dir():
        yield fail(
            "data folder", f"{data_dir} does not exist", "run `netral up` once, or set NETRAL_DATA_DIR"
        )
        return
    if not os.access(data_dir, os.W_OK | os.X_OK):
        yield fail("data folder", f"{data_dir} is not writable", "change its owner, or set NETRAL_DATA_DIR")
    else:
        yield ok("data folder", str(data_dir))
    yield _secrets(data_dir / "secrets")


def _secrets(folder: Path) -> Finding:
    missing = [name for name in SECRETS if not (folder / name).is_file()]
    if missing:
        return fail(
            "secrets", f"{', '.join(missing)} missing in {folder}", "run `netral up` once, or put them there"
        )
    kept = sorted({*map(folder.joinpath, SECRETS), *folder.glob("vault.key.*")})
    open_ones = [path.name for path in (folder, *kept) if _open_to_others(path)]
    if open_ones:
        cure = f"chmod 700 {folder} && chmod 600 {folder}/*"
        return fail("secrets", f"{', '.join(open_ones)} can be read by other users", cure)
    return ok("secrets", f"{len(SECRETS)} in {folder}, for the owner only")


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
