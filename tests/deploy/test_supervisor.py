"""`netral up` starts once, says what is in its way, restarts what dies, and leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path

import pytest

from deploy.local import log_files
from deploy.local.preflight import short_of_room
from deploy.local.secrets import CannotStart, ensure
from deploy.local.settings import UpSettings
from deploy.local.supervisor import Child, pause_before, run
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


class Up:
    """`netral up` as a process over free ports."""

    def __init__(self, data: Path, **changed: str) -> None:
        names = [name for name in UpSettings.model_fields if name.endswith("_port")]
        ports = {f"NETRAL_{name.upper()}": str(free_port()) for name in names}
        self.env = {**os.environ, **ports, "NETRAL_NATS_URL": f"nats://127.0.0.1:{free_port()}", **changed}
        self.env["NETRAL_DATA_DIR"] = str(data)
        self.env.pop("PYTHONUNBUFFERED", None)  # an operator's shell does not set it
        self.data = data

    def start(self, screen: Path | None = None) -> None:
        program = str(Path(sys.executable).parent / "netral")
        self.screen = self.data.parent / f"screen-{id(self)}"
        if not self.screen.parent.is_dir():
            self.screen = self.data.parents[1] / "screen"
        self.screen = screen or self.screen
        with self.screen.open("wb") as output:
            self.process = subprocess.Popen([program, "up"], env=self.env, stdout=output, stderr=output)

    @property
    def said(self) -> str:
        return self.screen.read_text()

    def hears(self, words: str) -> bool:
        """Whether it says these words within a minute."""
        for _ in range(600):
            if words in self.said:
                return True
            if self.process.poll() is not None:
                return words in self.said
            time.sleep(0.1)
        return False

    def family(self) -> list[int]:
        """The processes that work on this data folder, the supervisor included."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                mine = f"NETRAL_DATA_DIR={self.data}".encode() in (folder / "environ").read_bytes().split(
                    b"\0"
                )
                alive = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
            except (OSError, IndexError):
                continue
            if mine and alive and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        return found

    def gone(self) -> bool:
        for _ in range(200):
            if not self.family():
                return True
            time.sleep(0.1)
        return False


@pytest.fixture
def up(tmp_path: Path):  # type: ignore[no-untyped-def]
    system = Up(tmp_path / 'data ☃ "ü"')
    system.start()
    yield system
    for pid in system.family():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    system.process.wait()


def running(up: Up, module: str) -> list[int]:
    return [pid for pid in up.family() if module.encode() in command_of(pid)]


def command_of(pid: int) -> bytes:
    """Its command line; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def named(up: Up, module: str) -> int:
    [found] = running(up, module)
    return found


def begins(up: Up, module: str, *, but: int = 0) -> bool:
    """Whether a process of a module, another one than `but`, runs within a minute."""
    for _ in range(600):
        if [pid for pid in running(up, module) if pid != but]:
            return True
        time.sleep(0.1)
    return False


def test_it_becomes_ready_refuses_a_second_and_stops_without_a_trace(up: Up) -> None:
    assert up.hears("Netral is ready."), up.said
    second = Up(up.data)
    second.start()
    assert second.hears("already runs"), second.said
    assert second.process.wait(10) == 1
    assert str(up.process.pid) in second.said
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(30) == 0
    assert up.gone()
    assert not list(up.data.rglob("*.new"))


def test_a_child_that_dies_is_started_again_and_said_so(up: Up) -> None:
    assert up.hears("Netral is ready."), up.said
    victim = named(up, "services.routing")
    os.kill(victim, signal.SIGKILL)
    assert up.hears("routing ended by signal SIGKILL"), up.said
    assert begins(up, "services.routing", but=victim)


def test_an_output_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    system = Up(tmp_path / "data")
    system.start(Path("/dev/full"))
    try:
        assert begins(system, "deploy.local.mailbox")
        victim = named(system, "deploy.local.mailbox")  # for whose readiness nobody waits
        os.kill(victim, signal.SIGKILL)
        assert begins(system, "deploy.local.mailbox", but=victim)
        assert system.process.poll() is None
    finally:
        system.process.terminate()
        system.process.wait(60)
    assert system.gone()


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def ours() -> Iterator[None]:
    """Gives this process its signals and mask back after a `run` in it."""
    handlers = {number: signal.getsignal(number) for number in _ENDING}
    mask = os.umask(0o077)
    yield
    os.umask(mask)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("ours")
def test_a_child_that_cannot_be_started_for_want_of_room_is_tried_again(tmp_path: Path) -> None:
    starts: list[float] = []

    def start() -> subprocess.Popen[bytes]:
        starts.append(time.monotonic())
        if len(starts) == 2:
            raise OSError(ENOSPC, "No space left on device")
        if len(starts) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return subprocess.Popen([sys.executable, "-c", ""])

    said: list[str] = []
    child = Child("broker", start, tmp_path / "broker.log")
    assert run(UpSettings(data_dir=tmp_path), children=[child], say=said.append) == 0
    [refused] = [words for words in said if "could not be started again" in words]
    assert "No space left on device" in refused
    assert "the next try is in 2 s" in refused
    assert len(starts) == 3


@pytest.mark.usefixtures("ours")
def test_a_closed_terminal_ends_everything_cleanly_unless_nohup_was_said(tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests themselves run under nohup
    starts: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        starts.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        os.kill(os.getpid(), signal.SIGHUP)
        return starts[-1]

    assert run(UpSettings(data_dir=tmp_path), children=[Child("routing", start, tmp_path / "a.log")]) == 0
    assert starts[-1].poll() == -signal.SIGTERM
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    said: list[str] = []
    ended = Child("routing", lambda: subprocess.Popen([sys.executable, "-c", ""]), tmp_path / "a.log")

    def stop(words: str) -> None:
        said.append(words)
        if "ended" in words:
            os.kill(os.getpid(), signal.SIGHUP)
            if len(said) > 2:
                os.kill(os.getpid(), signal.SIGTERM)

    assert run(UpSettings(data_dir=tmp_path), children=[ended], say=stop) == 0
    assert len([words for words in said if "ended" in words]) > 1, "it went on after SIGHUP"


@pytest.mark.usefixtures("ours")
def test_the_logs_of_what_it_runs_stay_bounded(tmp_path: Path) -> None:
    log = tmp_path / "routing.log"

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            file.truncate(log_files.MOST + 1)
        return subprocess.Popen([sys.executable, "-c", ""])

    def stop(words: str) -> None:
        if "ended" in words:
            os.kill(os.getpid(), signal.SIGTERM)

    child = Child("routing", start, log)
    assert run(UpSettings(data_dir=tmp_path), children=[child], say=stop) == 0
    assert (log.stat().st_size, log.with_name("routing.log.1").stat().st_size) == (0, log_files.MOST + 1)


def test_nothing_outlives_a_killed_supervisor(up: Up) -> None:
    assert up.hears("Netral is ready."), up.said
    up.process.kill()
    up.process.wait()
    assert up.gone(), up.family()


def test_a_taken_port_is_one_sentence_with_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        system = Up(tmp_path, NETRAL_INTAKE_PORT=str(port))
        system.start()
        assert system.process.wait(30) == 1
    system.hears("\n")
    assert f"Port {port}" in system.said
    assert "NETRAL_INTAKE_PORT" in system.said
    assert "Traceback" not in system.said


def test_an_unwritable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    system = Up(tmp_path / "file" / "data")
    system.start()
    assert system.process.wait(30) == 1
    system.hears("\n")
    assert "cannot be written" in system.said
    assert "NETRAL_DATA_DIR" in system.said


def test_a_path_too_long_for_a_database_is_one_sentence(tmp_path: Path) -> None:
    system = Up(tmp_path.joinpath(*["x" * 100] * 5))
    system.screen = tmp_path / "screen"
    system.start(system.screen)
    assert system.process.wait(30) == 1
    assert "NETRAL_DATA_DIR" in system.said
    assert not (tmp_path / ("x" * 100)).exists()


def test_where_hardly_any_room_is_left_it_says_so_and_how_much(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert short_of_room(tmp_path, room=free // 2) is None
    assert "MiB are free" in (short_of_room(tmp_path, room=free * 2) or "")


def test_the_pause_before_a_restart_doubles_up_to_thirty_seconds() -> None:
    assert [pause_before(failures) for failures in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_broker_on_another_machine_is_one_sentence(tmp_path: Path) -> None:
    system = Up(tmp_path / "data", NETRAL_NATS_URL="nats://192.0.2.1:4222")
    system.start()
    assert system.process.wait(30) == 1
    assert "NETRAL_NATS_URL" in system.said
    assert "Traceback" not in system.said


def test_a_key_that_stored_reports_need_is_never_drawn_anew(tmp_path: Path) -> None:
    ensure(tmp_path)
    (tmp_path / "secrets" / "vault.key").unlink()
    ensure(tmp_path)
    (tmp_path / "intake.db").write_bytes(b"reports")
    (tmp_path / "secrets" / "vault.key").unlink()
    with pytest.raises(CannotStart, match="restore it"):
        ensure(tmp_path)


@pytest.mark.parametrize("name", ["INTAKE", "ROUTING", "NOTIFICATIONS", "OPS"])
def test_a_part_that_the_others_would_not_find_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    settings = UpSettings(**{"data_dir": tmp_path, f"{name.lower()}_host": "::1"})
    assert run(settings) == 1
    assert f"NETRAL_{name}_HOST is ::1" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.db"))
