"""The election calendars on file: complete, dated, sourced, and strict about mistakes."""

import shutil
from pathlib import Path

import pytest

from services.routing.calendar_files import HERE, load_calendars, reference
from services.routing.yaml_nodes import BrokenRulebook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE, tmp_path / "calendars"))


def change(folder: Path, old: str, new: str) -> None:
    """Replaces the first occurrence, so that line numbers before it stay."""
    path = folder / "elections.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(BrokenRulebook) as caught:
        load_calendars(folder)
    return [str(fault) for fault in caught.value.faults]


def line_of(folder: Path, text: str) -> int:
    lines = (folder / "elections.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_the_calendars_cover_the_elections_from_2018_on() -> None:
    calendars, _ = load_calendars()
    found = {(str(item.kind), item.year) for item in calendars.elections}
    assert found == {
        ("PILKADA", 2018),
        ("PEMILU", 2019),
        ("PILKADA", 2020),
        ("PEMILU", 2024),
        ("PILKADA", 2024),
    }


def test_awaited_elections_are_never_among_those_computed_from() -> None:
    calendars, _ = load_calendars()
    awaited = {(item.kind, year) for item in calendars.expected for year in item.years}
    assert awaited.isdisjoint((item.kind, item.year) for item in calendars.elections)


def test_the_reference_names_both_versions_and_changes_with_either_file(folder: Path) -> None:
    before = reference(*load_calendars())
    assert before.version == "elections-2026.1 holidays-0.109 workdays-2026.1"
    assert before.digest.startswith("sha256:")
    assert reference(*load_calendars(folder)) == before
    change(folder, "polling: 2025-04-19", "polling: 2025-04-20")
    assert reference(*load_calendars(folder)).digest != before.digest


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "designation: 2018-02-12",
            "designatoin: 2018-02-12",
            "'designatoin' is not known here; did you mean 'designation'?",
        ),
        (
            "designation: 2018-02-12",
            "designation: 2018-02-30",
            "'2018-02-30' is not a day of the calendar; write YYYY-MM-DD",
        ),
        ("PILKADA 2018", "PILKADES 2018", "is not an election; write for example PILKADA 2024"),
        (
            "[2018-02-15, 2018-06-23]",
            "[2018-02-15]",
            "is not a first and a last day; write [2024-09-25, 2024-11-23]",
        ),
        ("[PRESIDEN]", "[PRESIDENT]", "'PRESIDENT' is not an office; did you mean 'PRESIDEN'?"),
        (
            '"kemendagri:36.04"',
            '"bawaslu:14.09"',
            "belongs to the code system of Bawaslu; the same place is kemendagri:33.25",
        ),
        ("confidence: H", "confidence: sure", "'sure' is not a confidence; write one of H, M, K"),
    ],
)
def test_a_mistake_names_its_line(folder: Path, old: str, new: str, says: str) -> None:
    change(folder, old, new)
    line = line_of(folder, new)
    assert any(
        text.startswith(f"elections.yaml:{line}:") and text.endswith(says) for text in mistakes(folder)
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "    quiet: [2018-06-24, 2018-06-26]\n",
            "",
            "lacks a stage; give it designation, campaign and quiet",
        ),
        ("2018-06-24, 2018-06-26", "2018-06-25, 2018-06-26", "leaves a gap"),
        ("2018-06-24, 2018-06-26", "2018-06-24, 2018-06-25", "leaves a gap"),
        ("2018-06-24, 2018-06-26", "2018-06-20, 2018-06-26", "has its days out of order"),
        ("designation: 2018-02-12", "designation: 2018-02-16", "has its days out of order"),
        ("2018-06-26", "2018-06-27", "has its days out of order"),
        ('    regions: ["kemendagri:36.04"]\n', "", "is a re-vote; give it regions"),
        ("    decree: PKPU 5/2020\n", "", "'decree' is missing; add it"),
        (
            "source: [https://analisakini.id/2020/06/kampanye-pilkada-mulai-26-september-ini.html]",
            "source: []",
            "names no source",
        ),
    ],
)
def test_an_entry_that_cannot_be_true_is_refused(folder: Path, old: str, new: str, says: str) -> None:
    change(folder, old, new)
    assert any(says in text for text in mistakes(folder))


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    change(folder, "polling: 2018-06-27", "polling: soon")
    change(folder, "polling: 2019-04-17", "polling: later")
    found = mistakes(folder)
    assert sum("is not a day of the calendar" in text for text in found) == 2


def test_a_file_that_is_not_yaml_is_one_clear_mistake(folder: Path) -> None:
    (folder / "elections.yaml").write_text("version: [\n", encoding="utf-8")
    assert mistakes(folder)[0].startswith("elections.yaml:2:")
