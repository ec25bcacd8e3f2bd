"""Processes that answer nothing and close nothing, as on a host that hangs."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen


@contextmanager
def standing_still(process: Popen[bytes] | Popen[str] | None) -> Iterator[None]:
    """None of its threads runs meanwhile, from the first line on; it may be killed there.

    A signal that is sent has stopped nothing yet: on a busy machine other threads go on for a while, and answer.
    """
    assert process
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
