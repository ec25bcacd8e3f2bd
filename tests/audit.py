"""Asks pip-audit about a lock file: known vulnerabilities fail, a list that does not answer is said and does not."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def main(program: str, lock: str) -> int:
    """The exit code: 1 where a locked package has a known vulnerability."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [
            "-r",
            lock,
            "--disable-pip",
            "--progress-spinner",
            "off",
            "--format",
            "json",
            "-o",
            str(report),
        ]
        subprocess.run([program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        code, said = judged(json.loads(report.read_text()) if report.exists() else None)
    print(f"{lock}: {said}")
    return code


def judged(report: dict[str, Any] | None) -> tuple[int, str]:
    """The exit code and a sentence for what pip-audit wrote; None if it could ask nobody."""
    packages = report["dependencies"] if report else []
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return 0, "not audited, no list of vulnerabilities answers here"
    found = [f"{one['name']} {one['version']}: {bad['id']}" for one in known for bad in one["vulns"]]
    looked = f"{len(known)} of {len(packages)} packages looked up"
    return (1, f"{looked}; vulnerable: {', '.join(found)}") if found else (0, f"{looked}, none is vulnerable")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
