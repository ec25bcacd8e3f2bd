"""Child processes that cannot outlive their parent (Linux: PR_SET_PDEATHSIG)."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def spawn(argv: list[str], log: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; its output is appended to `log`. It dies with the starting thread."""
    parent = os.getpid()
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the arguments are our own
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - the supervisor has one thread
        )


def stop(process: subprocess.Popen[bytes], patience: float = 10) -> None:
    """Ask a child to stop, wait `patience` seconds, then kill its whole group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ended(code: int) -> str:
    """How a child ended, in words."""
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
