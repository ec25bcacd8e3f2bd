"""What a runbook tells the one on duty to type exists: each `netral …` in it is a command with these options."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from services.cli.commands import app

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs" / "runbooks").glob("*.md")), ROOT / "docs" / "operations.md"]
GIVEN = "NETRAL_DATA_DIR="
"""A setting may stand before a command."""


def commands(page: Path) -> list[list[str]]:
    """The words behind `netral` of each command on a page."""
    spans = re.findall(r"`([^`]+)`", page.read_text())
    words = (shlex.split(span) for span in spans if re.match(rf"({GIVEN}\S+ )?netral ", span))
    return [found[found.index("netral") + 1 :] for found in words]


def unknown(words: list[str]) -> str:
    """What no command knows of these words; empty when all is known."""
    command: Any = typer.main.get_command(app)
    while words and (inner := getattr(command, "commands", {}).get(words[0])):
        command, words = inner, words[1:]
    if getattr(command, "commands", None) and words and not words[0].startswith("-"):
        return words[0]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return next((word for word in words if word.startswith("--") and word not in known), "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_on_the_page_exists(page: Path) -> None:
    assert {" ".join(words): word for words in commands(page) if (word := unknown(words))} == {}


def test_a_command_that_does_not_exist_is_found() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 50
    assert unknown(["matches", "merge", "ID"]) == "merge"
    assert unknown(["cases", "--orphan"]) == "--orphan"
