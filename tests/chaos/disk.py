"""A small file system of our own: it is filled to the last byte, and loses what was not synced when its power fails."""

import errno
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN; with NOLOGFLUSH not even the journal is written, as when the machine stops."""
_NOLOGFLUSH = struct.pack("I", 2)


@dataclass(frozen=True)
class SmallDisk:
    """Mounted at `mount`; what uses it lives in `data`, which is not there while it is off. In memory it loses nothing."""

    mount: Path
    image: Path | None

    @property
    def data(self) -> Path:
        return self.mount / "data"

    def power_off(self) -> None:
        """From now on every use fails; what was not synced is gone. Raises OSError where the disk is off."""
        place = os.open(self.mount, os.O_RDONLY)
        try:
            if os.fstat(place).st_dev == self.mount.parent.stat().st_dev:
                raise OSError(
                    errno.ENXIO, "nothing is mounted there"
                )  # or the machine's own disk would be shut down
            fcntl.ioctl(place, _SHUTDOWN, _NOLOGFLUSH)
        finally:
            os.close(place)

    def power_on(self) -> None:
        """What is on the disk is there again. Raises OSError while somebody still holds one of its files."""
        if self.mount.is_mount():
            _run("umount", self.mount)
        _run("mount", "-o", "loop", self.image or "", self.mount)


@contextmanager
def small_disk(mount: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """A disk of this size if we may mount one: ext4 in a file beside, or else in memory."""
    mount.mkdir(parents=True, exist_ok=True)
    disk = _ext4(mount, megabytes) or _in_memory(mount, megabytes)
    try:
        yield disk
    finally:
        if disk:
            with suppress(OSError):
                _run("umount", "-l", mount)


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


def release(file: Path) -> None:
    """Take it away for good: a loss of power must not bring it back. Raises OSError where the disk cannot note it yet."""
    file.unlink(missing_ok=True)  # two may overlap
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _ext4(mount: Path, megabytes: int) -> SmallDisk | None:
    image = mount.with_name(mount.name + ".img")
    with suppress(OSError):
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-m", "0", image)
        _run("mount", "-o", "loop", image, mount)
        return SmallDisk(mount, image)
    return None


def _in_memory(mount: Path, megabytes: int) -> SmallDisk | None:
    with suppress(OSError):
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "netral-chaos", mount)
        return SmallDisk(mount, None)
    return None


def _run(name: str, *words: object) -> None:
    program = shutil.which(name)
    if not program or os.geteuid() != 0:
        raise OSError(errno.EPERM, f"{name} cannot be used here")
    done = subprocess.run([program, *map(str, words)], check=False, capture_output=True)
    if done.returncode:
        raise OSError(errno.EBUSY, done.stderr.decode(errors="replace"))
