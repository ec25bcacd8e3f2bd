"""Keeps the log files of `netral up` from filling the disk that the reports need."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

MOST = 100_000_000
"""Bytes of a log file; as much again lies in the one before it."""


def bound(log: Path, most: int = MOST) -> None:
    """Where a log has become too long, what it holds becomes `NAME.log.1` in place of an older one, and it begins anew.

    Its process keeps its file open for appending, so the file stays and is emptied; lines written between the copy and
    that are lost. Where there is no room for the copy the log stays: the next call tries again.
    """
    with suppress(OSError):
        size = log.stat().st_size
        if size <= most:
            return
        before = log.with_name(log.name + ".1")
        before.unlink(missing_ok=True)
        if shutil.disk_usage(log.parent).free > size:
            shutil.copyfile(log, before)
            os.truncate(log, 0)
