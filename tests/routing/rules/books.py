"""Rulebooks made from the one in use by changing its text."""

import shutil
from pathlib import Path

from services.routing.core.rules import Rulebook
from services.routing.rulebook_files import HERE, load_rulebook


def changed(folder: Path, *changes: tuple[str, str, str]) -> Rulebook:
    """The rulebook with texts replaced; each change is a file, the text that stands there (once or more), the new one."""
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    for file, right, wrong in changes:
        text = (folder / file).read_text(encoding="utf-8")
        assert right in text, f"{file} no longer holds {right!r}"
        (folder / file).write_text(text.replace(right, wrong), encoding="utf-8")
    return load_rulebook(folder)
