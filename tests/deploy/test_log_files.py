"""The logs of `netral up` stay bounded, while their processes go on writing."""

import subprocess
import sys
from pathlib import Path

from deploy.local import log_files

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


def test_a_log_that_is_long_begins_anew_and_its_process_writes_on_into_it(tmp_path: Path) -> None:
    log, older = tmp_path / "routing.log", tmp_path / "routing.log.1"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=output, text=True
        )

    def writes(line: str) -> None:
        assert process.stdin
        before = log.stat().st_size
        process.stdin.write(line + "\n")
        process.stdin.flush()
        while log.stat().st_size == before:
            pass

    try:
        for line, kept, held in (
            ("first", "first\n", ""),
            ("second", "second\n", ""),
            ("3", "second\n", "3\n"),
        ):
            writes(line)
            log_files.bound(log, most=4)
            assert (older.read_text(), log.read_text()) == (kept, held)
    finally:
        process.communicate()


def test_a_log_that_cannot_be_set_aside_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "routing.log"
    log_files.bound(log, most=4)
    log.write_text("too long")
    (tmp_path / "routing.log.1").mkdir()
    log_files.bound(log, most=4)
    assert log.read_text() == "too long"
