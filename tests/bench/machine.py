"""The machine a figure was measured on, and what it was busy with."""

import os
import platform
import shutil
import tempfile
from pathlib import Path


def named() -> str:
    """Processor, cores, memory and Python in one line."""
    facts = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    model = next((value.strip() for key, value in facts.items() if key.strip() == "model name"), "unknown")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1_048_576
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def resident(pid: int) -> float:
    """Memory of a process in MiB."""
    words = Path(f"/proc/{pid}/statm").read_text().split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 1_048_576


def cpu(pid: int) -> float:
    """CPU seconds of all threads of a process so far."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def has_room(what: str, size: int) -> bool:
    """Whether TMPDIR has room for so many bytes; says so where it has not."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if size > free:
        print(f"{what} are left out: they need {size / 1e9:.0f} GB in {folder}, which has {free / 1e9:.0f}")
    return size <= free
