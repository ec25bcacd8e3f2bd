"""A service that cannot start says why in one line and ends."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("service", ["intake", "routing", "notifications"])
def test_a_missing_secret_is_one_line_and_exit_code_one(service: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={"NETRAL_DATA_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "secrets/" in done.stderr
    assert "Traceback" not in done.stderr
