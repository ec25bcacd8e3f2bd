"""One JSON line per event, and nothing in it that others wrote."""

import asyncio
import json
import logging
import os
import re
import select
import sqlite3
import subprocess
import sys
import traceback
from datetime import date
from errno import ENOSPC
from io import StringIO
from pathlib import Path
from uuid import UUID

import faststream  # noqa: F401 - brings a logger with a handler of its own
import pytest

from contracts.codes import Agency
from services.runtime import logs
from services.runtime.logs import log, plain, where

CANARY = "canary-7f3a@example.com"


def fail():
    raise ValueError(CANARY)


def caught():
    try:
        fail()
    except ValueError as problem:
        return problem


def test_a_line_has_time_level_service_event_and_facts(lines):
    log("report.accepted", report_id=UUID(int=1), acts=2, on=date(2026, 11, 24), agency=None)
    [line] = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "INFO",
        "service": "intake",
        "event": "report.accepted",
        "report_id": "00000000-0000-0000-0000-000000000001",
        "acts": 2,
        "on": "2026-11-24",
    }


def test_facts_cannot_take_the_place_of_the_head(lines):
    log("x", level="ERROR", service="another", time="never")
    assert (lines()[0]["level"], lines()[0]["service"], lines()[0]["time"][:2]) == ("ERROR", "intake", "20")


def test_a_line_below_the_level_is_not_written(lines):
    logging.getLogger("netral").setLevel("WARNING")
    log("quiet")
    log("loud", level="WARNING")
    assert [line["event"] for line in lines()] == ["loud"]


def test_a_line_within_a_span_names_its_trace(lines, spans):
    with spans.telemetry.tracer.start_as_current_span("x") as span:
        log("within")
    assert lines()[0]["trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_a_line_break_in_a_fact_does_not_start_a_new_line(lines):
    log("x", code='A\n{"event": "forged"}')
    assert [line["event"] for line in lines()] == ["x"]


def test_what_is_no_code_or_number_is_named_by_its_type_only():
    assert plain(ValueError(CANARY)) == "ValueError"
    assert plain({"email": CANARY}) == "dict"
    assert plain(CANARY.encode()) == "bytes"
    assert plain([Agency.BKN, 3]) == ["BKN", 3]


def test_a_long_text_is_cut():
    assert len(plain("x" * 20_000)) == 200


def test_libraries_are_heard_from_warnings_up_without_arguments_or_exception_texts(lines):
    for name in ("nats.aio.client", "faststream", "uvicorn.error", "sqlalchemy.pool", "httpx"):
        library = logging.getLogger(name)
        library.info("GET %s", f"https://example.org/?email={CANARY}")
        library.warning("cannot reach %s", CANARY)
        library.error(f"ValueError: {CANARY}", exc_info=caught())
        library.error("Task exception was never retrieved\nfuture: " + CANARY)
    assert CANARY not in str(lines())
    assert len(lines()) == 15
    assert lines()[0]["said"] == "cannot reach %s"
    assert lines()[1]["error"] == "ValueError"
    assert lines()[2]["said"] == "Task exception was never retrieved"


def test_of_a_traceback_that_a_library_pasted_the_type_and_our_line_are_told(lines):
    try:
        try:
            plain(ValueError)
            raise KeyError(CANARY)
        except KeyError as cause:
            raise sqlite3.OperationalError(f"{CANARY}\n[SQL: {CANARY}]") from cause
    except sqlite3.OperationalError:
        pasted = traceback.format_exc()
    ours = '  File "/anywhere/services/ops/store.py", line 7, in open\n    connect()\n'
    before, mark, after = pasted.rpartition("  File ")
    logging.getLogger("uvicorn.error").error(before + ours + mark + after)
    assert (lines()[0]["error"], lines()[0]["where"]) == ("OperationalError", "services.ops.store:7")
    assert CANARY not in str(lines())


async def test_an_exception_nobody_awaited_is_logged_by_type(lines):
    asyncio.get_running_loop().call_exception_handler({"message": "never retrieved", "exception": caught()})
    assert lines()[0]["error"] == "ValueError"
    assert CANARY not in str(lines())


def test_a_crash_is_one_line_and_no_traceback(lines, capfd):
    problem = caught()
    sys.excepthook(ValueError, problem, problem.__traceback__)
    assert (lines()[0]["event"], lines()[0]["error"]) == ("process.crashed", "ValueError")
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def screen(lines):
    """A place for lines that has no room while `full`; `lines` puts the process's own logging back."""

    class Screen(StringIO):
        full = False

        def write(self, text):
            if self.full:
                raise OSError(ENOSPC, "No space left on device")
            return super().write(text)

    screen = Screen()
    logs.configure("intake", "DEBUG", stream=screen)
    return screen


def test_lines_that_cannot_be_written_are_counted_and_told_by_the_next_that_can(screen, capfd):
    screen.full = True
    for _ in range(3):
        log("missed")
    screen.full = False
    log("written")
    log("written.too")
    missed, *written = [json.loads(line) for line in screen.getvalue().splitlines()]
    assert (missed["event"], missed["level"]) == ("log.missed", "ERROR")
    assert (missed["lines"], missed["error"]) == (3, "OSError")
    assert [line["event"] for line in written] == ["written", "written.too"]
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_under_the_log_stops_no_work_and_shows_nothing_of_a_line():
    program = (
        "from services.runtime.logs import *; configure('intake');"
        "[log('x', ticket='secret') for _ in 'abc']; print('!', file=sys.stderr)"
    )
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", program], check=False, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ran.stderr.startswith("!\n")
    assert "secret" not in ran.stderr
    assert "Call stack" not in ran.stderr


def test_who_stops_reading_the_log_stops_no_work_and_is_told_what_was_missed():
    program = (
        "from services.runtime.logs import *; configure('intake');"
        "[log('x', fact='y' * 150) for _ in range(2000)]; print('worked', file=sys.stderr, flush=True);"
        "input(); log('again')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert select.select([process.stderr], [], [], 20)[0], "it waits for whoever reads the log"
            while select.select([process.stdout], [], [], 0.2)[0]:
                os.read(process.stdout.fileno(), 65_536)
            said = process.communicate(b"\n", timeout=20)[0]
        finally:
            process.kill()
    missed, again = [json.loads(line) for line in said.splitlines()]
    assert (missed["event"], missed["error"]) == ("log.missed", "BlockingIOError")
    assert 0 < missed["lines"] < 2000
    assert again["event"] == "again"


def test_where_names_the_innermost_line_of_our_own_code():
    with pytest.raises(KeyError) as raised:
        log("x", level="NO SUCH LEVEL")
    assert re.fullmatch(r"services\.runtime\.logs:\d+", where(raised.value))
    assert where(caught()) is None


def test_every_event_of_a_service_is_in_the_documentation():
    root = Path(__file__).parents[2]
    page = (root / "docs" / "telemetry.md").read_text()
    services = [path for path in (root / "services").rglob("*.py") if "cli" not in path.parts]
    events = {event for path in services for event in re.findall(r'\blog\(\s*"([\w.]+)"', path.read_text())}
    events |= {f"{law}.{what}" for law in ("rulebook", "calendars") for what in ("loaded", "package_differs")}
    assert len(events) > 60
    assert {event for event in events if f"`{event}`" not in page} == set()
