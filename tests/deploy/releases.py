"""Code of the previous release, taken out of the history of this repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import COMMAND, ran

ROOT = Path(__file__).parents[2]
NAMED = ROOT / "deploy" / "previous-release"


def previous_release(folder: Path) -> Path:
    """Its code in `folder`; the test is skipped where the history does not reach back to it."""
    commit = NAMED.read_text().split()[0]
    folder.mkdir()
    packed = folder / "release.tar"
    git = ["git", "-C", str(ROOT), "archive", f"--output={packed}", commit, "contracts", "services", "deploy"]
    try:
        subprocess.run(git, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    except subprocess.CalledProcessError as trouble:
        pytest.skip(f"{commit} is not in the history here: {trouble.stderr.decode(errors='replace').strip()}")
    shutil.unpack_archive(packed, folder)
    return folder


def netral(words: list[str], code: Path | None, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A command of `netral` as the code in `code` has it (None: this checkout)."""
    if code is None:
        return ran([COMMAND, *words], {**os.environ, **env})
    where = {**os.environ, **env, "PYTHONPATH": str(code)}
    run = "import sys; from services.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", run, *words], env=where, cwd=code, capture_output=True, text=True, check=False
    )
