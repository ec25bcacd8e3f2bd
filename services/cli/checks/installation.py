"""Checks the installation: Python, the nats-server program, and the locked versions."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import deploy
from deploy.local.nats_server import binary
from deploy.local.secrets import CannotStart
from services.cli.checks.finding import Finding, fail, ok, warn

OLDEST = (3, 11)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(;?)", re.MULTILINE)


def installation() -> Iterator[Finding]:
    """Findings about what is installed."""
    yield _python()
    yield _nats_server()
    yield _locked(Path(deploy.__file__).parent.parent / "requirements.lock")


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST:
        return fail("python", found, "install Python 3.11 or newer, then `make clean up`")
    return ok("python", found)


def _nats_server() -> Finding:
    try:
        return ok("nats-server", binary())
    except CannotStart as problem:
        return fail("nats-server", "is not installed", str(problem).partition("; ")[2])


def _locked(lock: Path) -> Finding:
    if not lock.is_file():
        return warn("packages", "no requirements.lock beside the code", "run from the project's folder")
    pins = _PIN.findall(lock.read_text(encoding="utf-8"))
    other = [
        text for name, wanted, marker in pins if (text := _difference(name, wanted, optional=bool(marker)))
    ]
    if other:
        return fail("packages", "; ".join(other), "run `make clean up` to install what the lock says")
    return ok("packages", f"{len(pins)} as locked")


def _difference(name: str, wanted: str, *, optional: bool) -> str | None:
    """What differs from the lock; a package with a marker may be absent (it is for another platform)."""
    try:
        found = version(name)
    except PackageNotFoundError:
        return None if optional else f"{name} is missing"
    return None if found == wanted else f"{name} is {found}, locked is {wanted}"
