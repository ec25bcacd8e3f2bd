"""The tables hold every version of every rule, or those of a day, in both forms and both languages."""

import csv
import io
import re
from datetime import date

import pytest

from services.routing.rules.tables import COLUMNS, comma_separated, markdown, shown
from tests.packaged import packaged_book

BOOK = packaged_book()
CUT = date(2024, 8, 24)


def rows(on: date | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comma_separated(BOOK, on))))


def test_every_version_is_shown_once_and_every_assignment_has_a_row() -> None:
    versions = [version for rule in BOOK.rules for version in rule.history]
    assert len(shown(BOOK)) == len(versions)
    assert len(rows()) == sum(max(1, len(version.assigns)) for version in versions)


def test_a_row_tells_all_a_lawyer_signs() -> None:
    found = next(row for row in rows() if row["rule"] == "asn.supervisor" and row["since"] == "2024-09-04")
    said = {name: found.pop(name) for name in ("sentence_id", "sentence_en")}
    assert found == {
        "chapter": "20-supervision.yaml",
        "rule": "asn.supervisor",
        "row": "R10, R11, R12, R14, R15",
        "conditions": "status: PNS, CPNS, PPPK, PJ_KEPALA_DAERAH",
        "clock": "handling",
        "since": "2024-09-04",
        "until": "2025-10-16",
        "state": "",
        "agency": "BKN",
        "role": "ACTION",
        "office": "CENTRE",
        "when": "STUDY_CONCLUDED:BREACH",
        "deadline": "",
        "class": "",
        "review": "",
        "basis": "SE MenPANRB 4/2024, Perpres 92/2024, SKB 22 September 2022",
        "note": "",
    }
    assert said["sentence_id"].startswith("Sejak 4 September 2024")
    assert said["sentence_en"].startswith("From 4 September 2024")


@pytest.mark.parametrize(
    ("day", "agency"), [(date(2024, 8, 23), "KASN"), (CUT, "BKN"), (date(2024, 8, 25), "BKN")]
)
def test_on_a_day_only_the_versions_in_force_are_shown(day: date, agency: str) -> None:
    supervisors = [row for row in rows(day) if row["rule"] == "asn.supervisor"]
    assert [row["agency"] for row in supervisors] == [agency]
    assert all(
        row["since"] <= str(day) and (not row["until"] or str(day) < row["until"]) for row in rows(day)
    )
    assert "dicabut / repealed" not in {row["state"] for row in rows(day)}


def test_expected_law_is_shown_and_marked_as_not_in_force() -> None:
    expected = [row for row in rows() if row["state"] == "belum berlaku / not in force"]
    assert [row["since"] for row in expected] == ["2027-10-16"]
    later = [row for row in rows(date(2027, 10, 16)) if row["rule"] == "asn.supervisor"]
    assert [row["state"] for row in later] == ["", "belum berlaku / not in force"]
    assert [row["agency"] for row in later] == ["BKN", ""]


def test_the_markdown_names_rulebook_digest_sources_and_a_table_for_each_file() -> None:
    text = markdown(BOOK)
    assert text.startswith(f"# {BOOK.id} {BOOK.version}\n\n`{BOOK.digest}`\n")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads[0] == "Sumber / Sources"
    assert heads[1:] == list(dict.fromkeys(rule.where.partition(":")[0] for rule in BOOK.rules))
    assert (
        "| uu-5-2014 | UU 5/2014 | /akn/id/act/uu/2014/5 | 2014-01-15 | 2023-10-31 | uu-20-2023 |  |" in text
    )


def test_every_line_of_a_table_has_as_many_cells_as_its_head() -> None:
    for chapter in markdown(BOOK).split("\n## ")[2:]:
        lines = [line for line in chapter.splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(COLUMNS) + 1}


def test_one_language_leaves_the_other_out() -> None:
    assert "Sejak 4 September 2024" in markdown(BOOK, CUT.replace(month=9, day=4), "id")
    assert "From 4 September 2024" not in markdown(BOOK, language="id")
    assert "Sejak 4 September 2024" not in markdown(BOOK, language="en")
    head = next(csv.reader(io.StringIO(comma_separated(BOOK, language="en"))))
    assert head[-1] == "sentence_en"
    assert "sentence_id" not in head
