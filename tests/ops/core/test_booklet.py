"""The page shows the runbooks as people read them: nothing of their text is lost."""

import re
from pathlib import Path

import pytest

from services.ops.core.booklet import Block, Piece, blocks
from services.ops.core.words import indonesian

RUNBOOKS = sorted((Path(__file__).parents[3] / "docs" / "runbooks").glob("*.md"))


def test_headings_lists_and_code_are_told_apart():
    found = list(
        blocks(
            "# A\n\nOne\ntwo `x y`.\n\n1. first\n   goes on\n2. second\n\n| a | b |\n| --- | --- |\n| c | d |\n"
        )
    )
    assert [block.kind for block in found] == ["h1", "p", "ol", "table"]
    assert found[1] == Block("p", [[[Piece("One two ", False), Piece("x y", True), Piece(".", False)]]])
    assert found[2].rows == [[[Piece("first goes on", False)]], [[Piece("second", False)]]]
    assert len(found[3].rows) == 2


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_no_word_of_a_runbook_is_lost(path):
    text = re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", path.read_text())
    shown = " ".join(p.text for b in blocks(path.read_text()) for row in b.rows for line in row for p in line)
    assert re.findall(r"[A-Za-z]+", shown) == re.findall(r"[A-Za-z]+", text)
    kinds = [block.kind for block in blocks(path.read_text())]
    assert kinds[0] == "h1"
    assert kinds.count("h2") == 4


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("p1 offered, to act", "p1 diteruskan untuk ditindaklanjuti"),
        ("decided", "diputus"),
        ("e-mail OFFERED SENT (try 1)", "surel OFFERED SENT (percobaan 1)"),
        (
            "step 2: p1 HANDOVER to BKN pusat, on 2026-11-24",
            "langkah 2: p1 HANDOVER kepada BKN pusat, tanggal 2026-11-24",
        ),
        ("something new", "something new"),
    ],
)
def test_the_story_is_told_in_indonesian(english, said):
    assert indonesian(english) == said
