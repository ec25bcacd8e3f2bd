"""`netral decide` keeps the promise of the contract: what it prints, where, and with which exit code."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cli.deciding import decide
from services.cli.errors import Stop
from tests.cli.conftest import Netral

Report = dict[str, Any]
DAY = ("--handled-on", "2024-10-31")


def written(folder: Path, document: Any, name: str = "report.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_valid_report_gets_one_decision_on_standard_output(
    netral: Netral, report: Report, tmp_path: Path
) -> None:
    ran = netral("decide", written(tmp_path, report), *DAY)
    assert (ran.code, ran.err) == (0, "")
    decision = json.loads(ran.out)
    assert (decision["schema"], decision["handled_on"]) == ("netral.decision.v1", "2024-10-31")
    assert [person["ref"] for person in decision["persons"]] == ["pelapor menulis ini"]
    assert all("active" not in item for item in decision["persons"][0]["assignments"])


def test_standard_input_decides_like_a_file(netral: Netral, report: Report, tmp_path: Path) -> None:
    from_file = netral("decide", written(tmp_path, report), *DAY)
    from_stdin = netral("decide", "-", *DAY, stdin=json.dumps(report).encode())
    assert from_stdin == from_file


def test_progress_marks_every_assignment_active_or_not(
    netral: Netral, report: Report, tmp_path: Path
) -> None:
    events = [
        {"event": "STUDY_CONCLUDED", "person": "pelapor menulis ini", "result": "BREACH", "on": "2024-11-05"}
    ]
    ran = netral(
        "decide", written(tmp_path, report), *DAY, "--progress", written(tmp_path, events, "events.json")
    )
    active = {a["when"]: a["active"] for a in json.loads(ran.out)["persons"][0]["assignments"]}
    assert active["STUDY_CONCLUDED:BREACH"] is True
    assert active["STUDY_CONCLUDED:NO_BREACH"] is False if "STUDY_CONCLUDED:NO_BREACH" in active else True


def test_a_misspelt_code_is_named_with_its_neighbour(netral: Netral, report: Report, tmp_path: Path) -> None:
    report["persons"][0]["status"] = "PSN"
    ran = netral("decide", written(tmp_path, report), *DAY)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "persons.0.status: 'PSN' is not a status; did you mean 'PNS'?\n"


def test_every_fault_has_a_line_of_its_own(netral: Netral, report: Report, tmp_path: Path) -> None:
    report["incident"]["known_on"] = "2024-10-21"
    report["acts"][0]["person"] = "nobody"
    report["persons"][0]["statuss\n\x1b[31m"] = "PNS"
    ran = netral("decide", written(tmp_path, report), *DAY)
    assert (ran.code, ran.out) == (2, "")
    assert {line.split(":")[0] for line in ran.err.splitlines()} == {
        "incident.known_on",
        "acts.0.person",
        r"persons.0.statuss\n\x1b[31m",
    }


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "report.json: is empty; write a JSON document into it"),
        (b" \n", "report.json: is empty; write a JSON document into it"),
        (b"\xff\xfe{", "report: is not UTF-8 text; save it as UTF-8"),
        (b'{"schema": ', "report: is not JSON (line 1, column 12); check the quotes and commas there"),
        (b'{"a": 1, "a": 2}', "report: names the field 'a' twice in one object; keep one"),
        (b'{"a": NaN}', "report: holds NaN, which is not JSON; write a number or null"),
    ],
)
def test_a_file_that_holds_no_json_is_explained(
    netral: Netral, tmp_path: Path, raw: bytes, says: str
) -> None:
    (tmp_path / "report.json").write_bytes(raw)
    ran = netral("decide", "report.json", *DAY)
    assert (ran.code, ran.out, ran.err) == (2, "", says + "\n")


@pytest.mark.parametrize("name", [".", "missing.json", "nul\0name"])
def test_what_cannot_be_read_as_a_file_is_explained(netral: Netral, name: str) -> None:
    ran = netral("decide", name, *DAY)
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be read (" in ran.err
    assert ran.err.count("\n") == 1


def test_deep_nesting_is_a_fault_and_no_crash(netral: Netral) -> None:
    ran = netral("decide", "-", *DAY, stdin=b"[" * 100_000)
    assert (ran.code, ran.out) == (2, "")
    assert "nested too deeply" in ran.err


@pytest.mark.parametrize("day", ["2024-13-01", "yesterday", "20241031", "2024-W44-4", "٢٠٢٤-١٠-٣١", ""])
def test_a_handling_day_that_is_no_date_is_refused(
    netral: Netral, report: Report, tmp_path: Path, day: str
) -> None:
    ran = netral("decide", written(tmp_path, report), f"--handled-on={day}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("--handled-on: ")
    assert ran.err.endswith("is not a day of the calendar; write it as YYYY-MM-DD\n")


@pytest.mark.parametrize("day", ["0001-01-01", "2020-01-01", "2031-12-31", "9999-12-31"])
def test_any_real_day_may_be_asked_about(netral: Netral, report: Report, tmp_path: Path, day: str) -> None:
    ran = netral("decide", written(tmp_path, report), "--handled-on", day)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["handled_on"] == day


def test_faults_of_the_progress_carry_the_number_of_the_event(
    netral: Netral, report: Report, tmp_path: Path
) -> None:
    events = [{"event": "STUDY_CONCLUDE", "result": "BREACH", "on": "2024-11-05"}]
    ran = netral(
        "decide", written(tmp_path, report), *DAY, "--progress", written(tmp_path, events, "events.json")
    )
    assert (ran.code, ran.out) == (2, "")
    says = "'STUDY_CONCLUDE' is not a progress event; did you mean 'STUDY_CONCLUDED'?"
    assert ran.err == f"progress.0.event: {says}\n"


def test_progress_about_a_stranger_is_a_fault(netral: Netral, report: Report, tmp_path: Path) -> None:
    events = [
        {"event": "WITHDRAWN", "on": "2024-11-05"},
        {"event": "WITHDRAWN", "person": "p9", "on": "2024-11-05"},
    ]
    ran = netral(
        "decide", written(tmp_path, report), *DAY, "--progress", written(tmp_path, events, "events.json")
    )
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("progress.1.person: 'p9' is the ref of no person of the report;")


@pytest.mark.parametrize("raw", [b"{}", b"nonsense", b'"text"'])
def test_progress_that_is_no_list_is_a_fault(
    netral: Netral, report: Report, tmp_path: Path, raw: bytes
) -> None:
    (tmp_path / "events.json").write_bytes(raw)
    ran = netral("decide", written(tmp_path, report), *DAY, "--progress", "events.json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("progress: is not ")


def test_faults_of_both_documents_are_told_at_once(netral: Netral, report: Report, tmp_path: Path) -> None:
    del report["narrative"]
    events = written(tmp_path, [{"event": "WITHDRAWN"}], "events.json")
    ran = netral("decide", written(tmp_path, report), *DAY, "--progress", events)
    assert ran.code == 2
    assert [line.split(":")[0] for line in ran.err.splitlines()] == ["narrative", "progress.0.on"]


def test_one_standard_input_cannot_give_two_documents(netral: Netral) -> None:
    assert netral("decide", "-", "--progress", "-").code == 2


def test_today_is_the_day_at_the_place(
    capfd: pytest.CaptureFixture[str], report: Report, tmp_path: Path
) -> None:
    """At 16:30 UTC it is still the 22nd in Jakarta (WIB), and already the 23rd in Sumbawa (WITA) and Papua (WIT)."""
    evening = datetime(2024, 10, 22, 16, 30, tzinfo=UTC)
    report["incident"] |= {"occurred_on": "2024-10-23", "known_on": "2024-10-23"}
    report["reported_on"] = "2024-10-23"
    decide(str(written(tmp_path, report)), None, None, clock=lambda: evening)
    assert json.loads(capfd.readouterr().out)["handled_on"] == "2024-10-23"
    report["incident"]["region"] = "kemendagri:31.71"
    with pytest.raises(Stop, match="lies in the future"):
        decide(str(written(tmp_path, report)), None, None, clock=lambda: evening)


def test_a_report_without_its_own_day_counts_as_received_on_the_day_of_handling(
    netral: Netral, report: Report, tmp_path: Path
) -> None:
    del report["reported_on"]
    late = json.loads(netral("decide", written(tmp_path, report), "--handled-on", "2024-12-31").out)
    in_time = json.loads(netral("decide", written(tmp_path, report), "--handled-on", "2024-10-24").out)
    assert late["admissibility"]["late"]
    assert not in_time["admissibility"]["late"]


def test_tomorrow_is_refused_whatever_day_is_asked_about(
    netral: Netral, report: Report, tmp_path: Path
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    report["incident"] |= {"occurred_on": tomorrow, "known_on": tomorrow}
    del report["reported_on"]
    ran = netral("decide", written(tmp_path, report), "--handled-on", "2099-01-01")
    assert ran.code == 2
    assert "lies in the future" in ran.err


def test_the_installed_command_decides_in_a_plain_locale(report: Report, tmp_path: Path) -> None:
    report["persons"][0]["ref"] = report["acts"][0]["person"] = "terlapor – 1"
    command = [Path(sys.executable).parent / "netral", "decide", "-", *DAY]
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = subprocess.run(
        command, input=json.dumps(report).encode(), capture_output=True, env=plain, check=True
    )
    assert json.loads(ran.stdout.decode("utf-8"))["persons"][0]["ref"] == "terlapor – 1"


def test_deciding_loads_no_server(report: Report, tmp_path: Path) -> None:
    loaded = "import sys; from services.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", loaded, "decide", written(tmp_path, report), *DAY]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stderr.split()
    assert not {"faststream", "nats", "uvicorn", "starlette", "sqlalchemy", "httpx"} & set(modules)
