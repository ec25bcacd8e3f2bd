"""Starts our programs out of a process that has read their modules: to read them anew is most of what a start costs.

What is forked is a process like any other, with memory, files and signals of its own. That a program starts by itself, how
long that takes and what it weighs are for `subprocess` to show.
"""

import importlib
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = "netral"
PATIENCE = 300.0
"""Seconds that a command may take: longer than any test, so that the test says what it waited for."""
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.forked_modules"])


class Forked:
    """As much of a Popen as tests ask of one."""

    def __init__(self, argv: list[str], env: dict[str, str], out: Path, err: Path) -> None:
        """Run the module `argv[0]`, or COMMAND; what it says is added to the files."""
        self._process = _FORKS.Process(target=_run, args=(argv, env, out, err), daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()


def ran(argv: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run to its end with this environment and nothing to read. Raises TimeoutExpired, and leaves nothing running."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = Forked(argv, env, out, err)
        try:
            code = process.wait(PATIENCE)
        finally:
            process.kill()
        return subprocess.CompletedProcess(argv, code, out.read_text("utf-8"), err.read_text("utf-8"))


def _run(argv: list[str], env: dict[str, str], out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    for number, path in ((1, out), (2, err)):
        said = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(said, number)
        os.close(said)
    sys.argv = argv
    if argv[0] == COMMAND:
        sys.exit(importlib.import_module("services.cli.main").main())
    runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
