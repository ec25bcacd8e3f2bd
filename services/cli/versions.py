"""`netral version --full`: what exactly is installed, for a report of a defect."""

import hashlib
import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import deploy
from deploy.local.nats_server import binary
from deploy.local.secrets import CannotStart
from services.cli.console import tables, write_json
from services.routing.deciding import load_judge

_ROOT = Path(deploy.__file__).parent.parent
LIBRARIES = (
    "faststream",
    "nats-py",
    "pydantic",
    "httpx",
    "opentelemetry-sdk",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)


def full(*, as_json: bool) -> None:
    """Print versions and digests; nothing of it is secret."""
    judge = load_judge()
    book = judge.reasoner.book
    found = {
        "netral": version("netral"),
        "commit": commit(_ROOT, os.environ),
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "nats-server": _broker(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in LIBRARIES},
        "packaged rulebook": f"{book.id} {book.version} {book.digest}",
        "packaged calendars": f"{judge.calendar.version} {judge.calendar.digest}",
        "requirements.lock": _lock(),
    }
    if as_json:
        write_json(found)
        return
    for name, text in found.items():
        tables().print(f"{name:20} {text}", markup=False)


def _broker() -> str:
    try:
        done = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    except CannotStart:
        return "not installed"
    return done.stdout.strip().rpartition(" ")[2].removeprefix("v")


def commit(root: Path, environment: Mapping[str, str]) -> str:
    """Of the checkout in `root`, with "and changes" if files differ from it; else what the image was built with."""
    told = (
        environment.get("NETRAL_COMMIT")
        or "not known: no git checkout, and the image was built without COMMIT"
    )
    if not (root / ".git").exists():
        return told
    words = [
        "git",
        "-C",
        str(root),
        "describe",
        "--always",
        "--exclude=*",
        "--abbrev=40",
        "--dirty= and changes",
    ]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    except OSError:
        return "not known: git is not installed"
    return done.stdout.strip() or told


def _lock() -> str:
    path = _ROOT / "requirements.lock"
    return (
        f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" if path.is_file() else "not beside the code"
    )
