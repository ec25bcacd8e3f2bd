"""`netral rules` and `netral explain`: what is printed, where, and with which exit code."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli import rulebooks
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.explaining import explain
from services.cli.rules import register
from services.routing.rulebook_files import HERE
from tests.packaged import packaged_book

NEW_YEAR = datetime(2026, 12, 31, 18, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE, tmp_path / "changed"))


def test_check_counts_what_is_in_the_rulebook_in_use(capfd: pytest.CaptureFixture[str]) -> None:
    rulebooks.check(None)
    said, digest = capfd.readouterr().out.splitlines()
    assert re.fullmatch(
        r"ok: skb-netralitas-asn 2026\.\d+\.\d+: \d+ rules, \d+ versions \(1 expected, not in force\), \d+ sources",
        said,
    )
    assert digest == packaged_book().digest


def test_check_says_every_fault_with_its_place_and_ends_with_2(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = folder / "20-supervision.yaml"
    path.write_text(path.read_text().replace("by: handling", "by: handeling", 1))
    with pytest.raises(Stop) as stop:
        rulebooks.check(str(folder))
    assert stop.value.code == BAD_INPUT
    assert str(stop.value) == "20-supervision.yaml:7:5: 'handeling' is not a clock; did you mean 'handling'?"
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            (None, "2024-02-30", "md", None),
            "--on: '2024-02-30' is not a day of the calendar; write it as YYYY-MM-DD",
        ),
        ((None, None, "xml", None), "--format: 'xml' is not a form of the tables; write md or csv"),
        ((None, None, "md", "fr"), "--language: 'fr' is not a language of the rulebook; write id or en"),
        (("nowhere", None, "md", None), "nowhere: is not a folder; name the folder that holds book.yaml"),
    ],
)
def test_what_show_cannot_use_is_told_in_one_sentence(options: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(Stop, match=re.escape(sentence)) as stop:
        rulebooks.show(*options)
    assert stop.value.code == BAD_INPUT


def test_show_prints_the_tables_of_a_day(capfd: pytest.CaptureFixture[str]) -> None:
    rulebooks.show(None, "2024-08-23", "csv", "id")
    assert ",KASN,ACTION,CENTRE,STUDY_CONCLUDED:BREACH," in capfd.readouterr().out


def test_diff_takes_today_at_jakarta_as_the_day_of_publication(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rulebooks.diff(str(HERE), str(folder), clock=lambda: NEW_YEAR)
    said = capfd.readouterr().out.splitlines()
    assert said[0].endswith("published 2027-01-01")
    assert said[1] == "patch: no box of facts changes its outcome"


def test_prove_ends_with_0_and_lists_what_to_look_at(capfd: pytest.CaptureFixture[str]) -> None:
    assert rulebooks.prove(None) == 0
    said = capfd.readouterr()
    assert said.out.startswith("proved: skb-netralitas-asn ")
    assert "to look at, not always a mistake" in said.out
    assert said.err == ""


def test_prove_prints_the_box_that_breaks_a_guarantee_and_ends_with_1(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = folder / "20-supervision.yaml"
    path.write_text(path.read_text().replace("given: {status: ASN}", "given: {status: PEGAWAI_ASN}", 1))
    assert rulebooks.prove(str(folder)) == TROUBLE
    said = capfd.readouterr()
    assert "PJ_KEPALA_DAERAH" in said.err
    assert "proved" not in said.out


def test_explain_reads_a_report_without_any_server(
    report: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    explain(str(file), "2024-10-31", None)
    said = capfd.readouterr().out
    assert "asn.supervisor" in said
    assert "BKN" in said


def test_explain_of_a_case_takes_no_progress_file() -> None:
    with pytest.raises(Stop, match="--progress: goes with a report file") as stop:
        explain("NTR-0000-0000-0000-0000", None, "events.json")
    assert stop.value.code == BAD_INPUT


@pytest.mark.parametrize("words", ["rules check", "rules show", "rules diff", "rules prove", "explain"])
def test_every_command_is_registered_and_explains_itself(words: str) -> None:
    app = typer.Typer()
    register(app)
    ran = CliRunner().invoke(app, [*words.split(), "--help"])
    assert ran.exit_code == 0
    assert "Example" in ran.output
