"""A small file system, and how it is filled to the last byte."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def fill(ballast: Path) -> None:
    """Write until nothing fits any more. Raises OSError for any other trouble."""
    piece = b"\0" * (1 << 20)
    with ballast.open("wb", buffering=0) as file:
        while len(piece) > 100:
            try:
                file.write(piece)
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise
                piece = piece[: len(piece) // 2]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """A file system of this size at `folder` if we may mount one; whether we could."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    words = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "netral-chaos", str(folder)]
    can = bool(mount) and os.geteuid() == 0
    can = can and subprocess.run([str(mount), *words], check=False, capture_output=True).returncode == 0
    try:
        yield can
    finally:
        if can:
            subprocess.run(["umount", "-l", str(folder)], check=False)
