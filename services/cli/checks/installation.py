"""Checks the installation: Python, the nats-server program, and the locked versions."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

import deploy
from deploy.local.nats_server import binary
from deploy.local.secrets import CannotStart
from services.cli.checks.finding import Finding, fail, ok, warn
from services.cli.settings_list import unread

OLDEST = (3, 11)
_PIN = re.compile(r"^[A-Za-z0-9].*?==[^\\\n]*", re.MULTILINE)


def installation() -> Iterator[Finding]:
    """Findings about what is installed."""
    yield _python()
    yield _nats_server()
    yield from _settings()
    yield _locked(Path(deploy.__file__).parent.parent / "requirements.lock")


def _settings() -> Iterator[Finding]:
    for sentence in unread():
        says, _, cure = sentence.partition("; ")
        yield warn("settings", says, cure)


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
    pins = [Requirement(line) for line in _PIN.findall(lock.read_text(encoding="utf-8"))]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    other = [text for pin in here if (text := _difference(pin))]
    if other:
        return fail("packages", "; ".join(other), "run `make clean up` to install what the lock says")
    return ok("packages", f"{len(here)} as locked")


def _difference(pin: Requirement) -> str | None:
    """What differs from the lock, for a package that this machine needs."""
    try:
        found = version(pin.name)
    except PackageNotFoundError:
        return f"{pin.name} is missing"
    return (
        None
        if pin.specifier.contains(found, prereleases=True)
        else f"{pin.name} is {found}, locked is {pin.specifier}"
    )
