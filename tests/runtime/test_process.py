"""A service that cannot start, or cannot go on, says why in one line and ends."""

import json
import subprocess
import sys
from pathlib import Path

import nats
import pytest

from services.runtime.connecting import connection
from tests.conftest import Broker
from tests.running import Processes


@pytest.mark.parametrize("service", ["intake", "routing", "notifications"])
def test_a_missing_secret_is_one_line_and_exit_code_one(service: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={"NETRAL_DATA_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "secrets/" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.broker
async def test_a_service_newer_than_its_streams_ends_with_exit_code_one_and_names_what_is_missing(
    fresh_nats: Broker,
) -> None:
    nc = await nats.connect(**connection(fresh_nats.settings, "operator"))
    await nc.jetstream().delete_stream("CALENDARS")
    await nc.close()
    processes = Processes(fresh_nats, anew=True)
    processes.start("routing")
    assert processes.running["routing"].wait(60) == 1
    [line] = [line for line in processes.logs().splitlines() if '"service.cannot_go_on"' in line]
    assert "CALENDARS" in (reason := json.loads(line)["reason"])
    assert "netral provision" in reason


def test_a_process_that_was_told_to_stop_ends_although_something_in_it_never_does() -> None:
    never = (
        "import threading; from services.runtime.process import end_within; "
        "end_within(0.2, 3); threading.Event().wait()"
    )
    assert subprocess.run([sys.executable, "-c", never], timeout=30, check=False).returncode == 3


@pytest.mark.broker
async def test_a_service_leaves_what_it_keeps_for_good_out_of_the_search_for_garbage(
    fresh_nats: Broker,
) -> None:
    processes = Processes(fresh_nats, anew=True)
    processes.start("intake")
    try:
        await processes.ready("intake")
    finally:
        processes.stop()
    [line] = [line for line in processes.logs().splitlines() if '"service.started"' in line]
    assert json.loads(line)["objects_kept"] > 100_000


@pytest.mark.thorough
@pytest.mark.parametrize("service", ["intake", "routing", "notifications"])
def test_nothing_is_searched_for_garbage_while_a_service_reads_its_modules_but_afterwards_it_is(
    service: str,
) -> None:
    start = (
        f"import gc; before = gc.get_stats()[0]['collections']; import services.{service}.__main__; "
        "read = gc.get_stats()[0]['collections'] - before; "
        "from services.runtime.process import collect_seldom; collect_seldom(); print(read, gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]
