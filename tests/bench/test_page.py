"""The page of figures: every run writes its own part and leaves what the others wrote."""

from pathlib import Path

import pytest

from tests.bench import machine
from tests.bench.crowded import MEASURES, Crowd
from tests.bench.crowded import section as crowded
from tests.bench.page import Figures, put, write
from tests.bench.scale import LIMIT, Scale, section

PAGE = "# Performance\n\n| a | b |\n\n## What is compared\n\n* something\n"


def test_a_run_leaves_the_sections_of_the_others(tmp_path: Path) -> None:
    write(PAGE, Figures(), tmp_path)
    put("Many cases", "so many", tmp_path)
    put("Decisions", "so fast", tmp_path)
    put("Many cases", "more", tmp_path)
    write(PAGE.replace("something", "something else"), Figures(), tmp_path)
    text = (tmp_path / "performance.md").read_text()
    assert text == PAGE.replace("something", "something else") + (
        "\n## Many cases\n\nmore\n\n## Decisions\n\nso fast\n"
    )


def test_a_section_that_no_run_writes_any_more_goes(tmp_path: Path) -> None:
    write(PAGE + "\n## Old\n\nwords\n", Figures(), tmp_path)
    write(PAGE, Figures(), tmp_path)
    assert (tmp_path / "performance.md").read_text() == PAGE


def test_the_page_says_where_a_question_is_slow_or_reads_a_whole_table() -> None:
    def said(*scales: Scale) -> str:
        return section(scales, "Questions", "one more")

    few = Scale(1000, "cases", {"list": 0.001}, {"list": []}, [0.0002, 0.0004])
    assert "within 100 ms" in said(few)
    assert "NOT" not in said(few)
    slow = Scale(2000, "cases", {"list": 2 * LIMIT}, {"list": []}, [0.0003, 0.0005])
    scanned = Scale(2000, "cases", {"list": 0.001}, {"list": ["SCAN matters"]}, [0.0003, 0.0005])
    for bad in (slow, scanned):
        assert not bad.good
        assert "NOT" in said(few, bad)
    assert "| list | 1.00 ms | 200.00 ms |" in said(few, slow)
    assert "beside 2,000 cases it is 1.38 of what it is beside 1,000" in said(few, slow)


def test_what_a_report_costs_beside_many_is_the_median_of_the_ratios_of_each_round() -> None:
    few = Crowd(Path(), 1000, {name: [1.0, 2.0, 40.0] for name in MEASURES})
    many = Crowd(Path(), 1_000_000, {name: [2.0, 3.0, 50.0] for name in MEASURES})
    assert "| accepted | 2.00 /s | 3.00 /s | 1.50 |" in crowded([few, many])


def test_what_the_disk_has_no_room_for_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert machine.has_room("two cases", 80_000)
    assert not machine.has_room("all cases", 10**18)
    assert "all cases are left out: they need 1000000000 GB" in capsys.readouterr().out
