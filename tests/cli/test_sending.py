"""`netral send` delivers every report once, says what became of each, and can be run again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.delivery import LONGEST_PAUSE, pause
from tests.cli.conftest import Netral
from tests.cli.door import Door, open_door

Report = dict[str, Any]


@pytest.fixture
def door() -> Iterator[Door]:
    with open_door() as opened:
        yield opened


@pytest.fixture
def many(report: Report, tmp_path: Path) -> Path:
    """Forty reports, one a line."""
    path = tmp_path / "many.jsonl"
    lines = [json.dumps({**report, "narrative": f"laporan {number}"}) for number in range(40)]
    path.write_text("\n".join(lines) + "\n\n")
    return path


def journal_of(path: Path) -> list[dict[str, str]]:
    text = path.with_name(path.name + ".netral-sent.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_one_file_one_report_one_ticket(netral: Netral, door: Door, report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    ran = netral("send", path, "--url", door.url)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("1 accepted.\n")
    assert json.loads(next(iter(door.accepted.values()))) == report


def test_the_journal_keeps_tickets_and_receipts_for_the_owner_only(
    netral: Netral, door: Door, many: Path
) -> None:
    netral("send", many, "--url", door.url)
    entries = journal_of(many)
    assert sorted(entry["ticket"] for entry in entries) == sorted(f"NTR-{n}" for n in range(40))
    assert all(
        entry["receipt"].startswith("SECRET-") and entry["report"].startswith("many.jsonl:")
        for entry in entries
    )
    assert many.with_name("many.jsonl.netral-sent.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_second_run_skips_what_was_accepted(netral: Netral, door: Door, many: Path) -> None:
    netral("send", many, "--url", door.url)
    ran = netral("send", many, "--url", door.url)
    assert (ran.code, ran.out, door.requests) == (0, "40 already accepted.\n", 40)


def test_a_run_that_broke_off_is_taken_up_again(netral: Netral, door: Door, many: Path) -> None:
    """The journal lost its last lines and ends in half of one: those reports are sent again, under the same keys."""
    netral("send", many, "--url", door.url)
    journal = many.with_name("many.jsonl.netral-sent.jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:30]) + lines[30][:20])
    ran = netral("send", many, "--url", door.url)
    assert ran.out.startswith("10 accepted, 30 already accepted.")
    assert len(door.accepted) == 40
    assert netral("send", many, "--url", door.url).out == "40 already accepted.\n"


def test_another_door_has_accepted_nothing_yet(netral: Netral, door: Door, many: Path) -> None:
    netral("send", many, "--url", door.url)
    with open_door() as other:
        assert netral("send", many, "--url", other.url).out.startswith("40 accepted.")


def test_a_door_that_is_briefly_away_costs_patience_only(netral: Netral, door: Door, many: Path) -> None:
    door.answers = [(503, {"Retry-After": "0"}), (429, {"Retry-After": "0"}), (502, {})]
    ran = netral("send", many, "--url", door.url)
    assert ran.code == 0
    assert ran.err.startswith("the door answered 503; trying again")
    assert len(door.accepted) == 40


def test_a_door_that_stays_away_fails_every_report_soon(netral: Netral, many: Path) -> None:
    ran = netral("send", many, "--url", "http://127.0.0.1:1", "--patience", "0.1")
    assert ran.code == 1
    assert ran.out == "40 failed.\n"
    assert "many.jsonl:1 and 39 more: failed: http://127.0.0.1:1: no answer (ConnectError)" in ran.err
    assert ran.err.count("\n") == 1 + ran.err.startswith("http://127.0.0.1:1: no answer")
    assert journal_of(many) == []


def test_refused_reports_are_named_with_every_fault(
    netral: Netral, door: Door, report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "two.json"
    path.write_text(json.dumps([report, {**report, "narrative": "refuse"}]))
    ran = netral("send", path, "--url", door.url)
    assert (ran.code, ran.out.splitlines()[0]) == (2, "1 accepted, 1 refused.")
    assert ran.err.splitlines() == [
        r"two.json:2: refused: /persons/0/status: is not a status; see \x1b[31m",
        r"two.json:2: refused: /persons/1/status: is not a status; see \x1b[31m",
    ]


def test_a_line_that_is_no_json_is_refused_with_its_number(netral: Netral, door: Door, many: Path) -> None:
    with many.open("a") as file:
        file.write("{broken\n")
    ran = netral("send", many, "--url", door.url)
    assert (ran.code, len(door.accepted)) == (2, 40)
    assert ran.err.startswith("many.jsonl:42: refused: is not JSON (line 1, column 2)")


def test_a_failure_outweighs_a_refusal(netral: Netral, door: Door, report: Report, tmp_path: Path) -> None:
    door.answers = [(404, {})]
    path = tmp_path / "two.json"
    path.write_text(json.dumps([report, {**report, "narrative": "refuse"}]))
    ran = netral("send", path, "--url", door.url, "--concurrency", "1")
    assert (ran.code, ran.out) == (1, "1 refused, 1 failed.\n")
    assert "answered 404; is it an intake door?" in ran.err


def test_a_folder_is_all_its_reports_by_name(
    netral: Netral, door: Door, report: Report, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "b.json").write_text(json.dumps(report))
    (folder / "a.jsonl").write_text(json.dumps(report) + "\n" + json.dumps(report))
    (folder / "a.jsonl.netral-sent.jsonl").write_text("{}")
    (folder / "notes.txt").write_text("no report")
    ran = netral("send", folder, "--url", door.url)
    assert ran.out.startswith("3 accepted.")
    assert {entry["report"] for entry in journal_of(folder)} == {"a.jsonl:1", "a.jsonl:2", "b.json"}


def test_standard_input_takes_lines_and_documents(
    netral: Netral, door: Door, report: Report, tmp_path: Path
) -> None:
    lines = (json.dumps(report) + "\n" + json.dumps({**report, "narrative": "lain"}) + "\n").encode()
    assert netral("send", "-", "--url", door.url, stdin=lines).out.startswith("2 accepted.")
    pretty = json.dumps(report, indent=1).encode()
    assert netral("send", "-", "--url", door.url, stdin=pretty).out.startswith("1 accepted.")
    assert (tmp_path / "data" / "stdin.netral-sent.jsonl").exists()


def test_never_more_at_once_than_asked(netral: Netral, door: Door, many: Path) -> None:
    netral("send", many, "--url", door.url, "--concurrency", "3")
    assert door.most_at_once <= 3


def test_a_script_gets_the_summary_as_json(
    netral: Netral, door: Door, report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "two.json"
    path.write_text(json.dumps([report, {**report, "narrative": "refuse"}]))
    ran = netral("send", path, "--url", door.url, "--json")
    summary = json.loads(ran.out)
    assert {k: summary[k] for k in ("accepted", "already_accepted", "refused", "failed")} == {
        "accepted": 1,
        "already_accepted": 0,
        "refused": 1,
        "failed": 0,
    }
    assert summary["troubles"][0]["report"] == "two.json:2"
    assert ran.err == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["missing.json"], "missing.json: cannot be read (No such file or directory)"),
        (["empty"], "empty: holds no *.json or *.jsonl file"),
        (["report.json", "--url", "ftp://x"], "--url: 'ftp://x' is not an address"),
        (["report.json", "--url", "http://[bad"], "--url: 'http://[bad' is not an address"),
        (["report.json", "--journal", "no/such/folder/j"], "no/such/folder/j: the journal cannot be written"),
    ],
)
def test_what_cannot_be_sent_is_explained(
    netral: Netral, tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "report.json").write_text("{}")
    ran = netral("send", *words)
    assert ran.code in (1, 2)
    assert ran.err.startswith(says)
    assert ran.err.count("\n") == 1


def test_pauses_double_to_half_a_minute_and_obey_the_door() -> None:
    plain, late = "send-" + "0" * 64, "send-" + "f" * 64
    assert [pause(tries, None, plain) for tries in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause(0, "5", plain) == 5
    assert pause(0, "86400", plain) == LONGEST_PAUSE
    assert pause(0, "Wed, 21 Oct 2026 07:28:00 GMT", plain) == 0.5
    assert 0.5 < pause(0, None, late) < 0.5 * 1.25
