"""`netral up`: starts everything in order, restarts what dies, stops everything cleanly."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import nats
import uvloop

from deploy.local import log_files
from deploy.local.nats_server import NatsServer
from deploy.local.preflight import check_hosts, check_path, check_ports, check_restored, locked, short_of_room
from deploy.local.processes import ended, spawn, stop
from deploy.local.screen import screen
from deploy.local.secrets import CannotStart, ensure
from deploy.local.settings import UpSettings
from deploy.streams import provision
from services.runtime.connecting import connection

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Where none of them is set, spans go to the ops page of this machine."""
STEADY = 60.0
"""Seconds a child must live before its back-off starts anew."""


@dataclass
class Child:
    """A program to keep alive. `start` begins a new process of it; `ready` is a URL that answers 200."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    log: Path
    ready: str | None = None
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    failures: int = 0
    restart_at: float = field(default=0.0)


def pause_before(failures: int) -> float:
    """Seconds before the next start after so many failures in a row: 1, 2, 4, … at most 30."""
    return min(2.0 ** (failures - 1), 30.0)


def tell(words: str) -> None:
    """Write to standard output, at once. Where that is not possible (full disk, terminal gone) the system runs on."""
    with suppress(OSError):
        print(words, flush=True)


def run(
    settings: UpSettings, *, children: Sequence[Child] | None = None, say: Callable[[str], None] = tell
) -> int:
    """Run the whole system until Ctrl-C, SIGTERM or a closed terminal; the exit code is 0 then, 1 if it cannot start."""
    os.umask(0o077)  # what the services keep is nobody else's to read
    try:
        check_path(settings.data_dir)
        with locked(settings.data_dir):
            if short := short_of_room(settings.data_dir):
                say(short)
            return _run(settings, children, say)
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return 1


def _run(settings: UpSettings, children: Sequence[Child] | None, say: Callable[[str], None]) -> int:
    stopping = _Stopping()
    check_restored(settings.data_dir)
    ensure(settings.data_dir)
    (settings.data_dir / "logs").mkdir(exist_ok=True)
    family = list(_family(settings) if children is None else children)
    if children is None:
        check_hosts(settings)
        check_ports(settings)
    try:
        for child in family:
            _begin(child)
            if child.name == "nats-server":
                uvloop.run(_provision(settings))
        _await_ready(family, stopping)
        if not stopping.asked:
            say(screen(settings))
        while not stopping.asked:
            _watch(family, say)
            time.sleep(0.1)
    finally:
        for child in reversed(family):
            if child.process:
                stop(child.process)
        say("Stopped.")
    return 0


class _Stopping:
    """Remembers that SIGINT or SIGTERM came, or SIGHUP (the terminal was closed) unless `nohup` took it away."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def _begin(child: Child) -> None:
    child.process, child.born, child.restart_at = child.start(), time.monotonic(), 0.0


def _watch(family: Sequence[Child], say: Callable[[str], None]) -> None:
    now = time.monotonic()
    for child in family:
        log_files.bound(child.log)
        if child.restart_at:
            if now >= child.restart_at:
                _begin_again(child, say)
        elif child.process and (code := child.process.poll()) is not None:
            child.failures = 1 if now - child.born > STEADY else child.failures + 1
            wait = pause_before(child.failures)
            child.restart_at = now + wait
            say(f"{child.name} ended {ended(code)}; starting it again in {wait:.0f} s. Its log: {child.log}")


def _begin_again(child: Child, say: Callable[[str], None]) -> None:
    try:
        _begin(child)
    except (CannotStart, OSError) as problem:  # OSError: no room for its files, no process to be had
        child.failures += 1
        wait = pause_before(child.failures)
        child.restart_at = time.monotonic() + wait
        say(f"{child.name} could not be started again, the next try is in {wait:.0f} s: {problem}")


def _await_ready(family: Sequence[Child], stopping: _Stopping) -> None:
    for child in family:
        deadline = time.monotonic() + 60
        while child.ready and not stopping.asked and not _answers(child.ready):
            if child.process and (code := child.process.poll()) is not None:
                raise CannotStart(f"{child.name} ended {ended(code)} while starting. {_last_line(child.log)}")
            if time.monotonic() > deadline:
                raise CannotStart(f"{child.name} did not become ready within 60 s; read {child.log}.")
            time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    told = [line for line in lines[-3:] if '"error"' in line] or lines[-1:]  # a library says goodbye after it
    return f"Its last words ({log}): {told[-1][:300]}" if told else f"Its log is empty: {log}"


def _family(settings: UpSettings) -> list[Child]:
    data, logs = settings.data_dir, settings.data_dir / "logs"
    server = NatsServer(
        data,
        settings.nats_port,
        settings.monitor_port,
        settings.broker_host,
        settings.broker_tls,
        sync=settings.broker_sync,
    )
    given = {name: value for name, value in settings.model_dump().items() if value is not None}
    env = {f"NETRAL_{name.upper()}": str(value) for name, value in given.items()}
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        env[_ENDPOINTS[0]] = f"http://127.0.0.1:{settings.ops_port}/v1/traces"

    def module(name: str, path: str, ready: str | None = None) -> Child:
        log = logs / f"{name}.log"
        return Child(name, lambda: spawn([sys.executable, "-m", path], log, env), log, ready)

    def health(port: int) -> str:
        return f"http://127.0.0.1:{port}/readyz"

    return [
        Child("nats-server", server.start, logs / "nats.log"),
        module("ops", "services.ops", health(settings.ops_port)),
        *([module("mailbox", "deploy.local.mailbox")] if settings.own_inbox else []),
        module("intake", "services.intake", health(settings.intake_port)),
        module("routing", "services.routing", health(settings.routing_port)),
        module("notifications", "services.notifications", health(settings.notifications_port)),
        *([module("agency", "deploy.local.agency")] if settings.agency else []),
    ]


async def _provision(settings: UpSettings) -> None:
    nc = await nats.connect(**connection(settings, "operator"))
    try:
        for difference in await provision(nc.jetstream(timeout=15), replicas=settings.nats_replicas):
            if not difference.applied:
                raise CannotStart(f"The broker's {difference}")
    finally:
        await nc.close()
