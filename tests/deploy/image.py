"""Builds the image with Podman, runs the whole system in it without any right, sends a report and waits for its mails."""

import argparse
import json
import subprocess
import time
from pathlib import Path

from tests.builders import a_report

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "containers" / "Dockerfile"
TAG = "localhost/netral-tried"
LOCKED_DOWN = (
    "--read-only",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--network=none",
    "--tmpfs=/tmp",
)
POST = """
import sys, urllib.request
body, kind = sys.stdin.buffer.read(), {"Content-Type": "application/json"}
to = urllib.request.Request("http://127.0.0.1:8080/v1/reports", body, kind)
print(urllib.request.urlopen(to, timeout=20).status)
"""
PATIENCE = 120
"""Seconds for the whole system to be ready, and for the mails to leave, on a slow machine."""


def podman(*words: str, given: str | None = None) -> str:
    """What Podman prints. Raises AssertionError with its words."""
    done = subprocess.run(["podman", *words], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"podman {' '.join(words)}: {done.stdout[-500:]}{done.stderr[-1500:]}"
    return done.stdout.strip()


def until(name: str, *words: str, wanted: str = "") -> float:
    """The seconds until a command in the container succeeds and prints what is wanted."""
    began = time.monotonic()
    while True:
        try:
            if wanted in podman("exec", name, *words):
                return time.monotonic() - began
        except AssertionError:
            if time.monotonic() - began > PATIENCE:
                raise
        assert time.monotonic() - began < PATIENCE, f"waited in vain for {' '.join(words)}"
        time.sleep(0.5)


def tried(name: str) -> None:
    """Everything that the documentation promises of a container."""
    healthy = ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz')"]
    print(f"ready after {until(name, *healthy):.1f} s")
    podman("healthcheck", "run", name)
    assert podman("exec", name, "id", "-u") == "10001"
    assert podman("exec", name, "sh", "-c", "touch /app/x /opt/x 2>/dev/null || echo refused") == "refused"
    assert podman("exec", name, "pg_dump", "--version").startswith("pg_dump")
    report = json.dumps(a_report())
    assert podman("exec", "-i", name, "python", "-c", POST, given=report) == "202"
    print(f"mailed after {until(name, 'sh', '-c', 'test $(ls /data/inbox/*.eml | wc -l) -ge 4'):.1f} s")
    assert "everything is as promised" in podman("exec", name, "netral", "verify")
    podman("exec", name, "netral", "doctor")


def main() -> None:
    """Build, run, try, remove."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("words", nargs="*", help="more words for `podman build`, after --: --build-arg BASE=…")
    began = time.monotonic()
    podman("build", "--format=docker", "-f", str(FILE), "-t", TAG, *asked.parse_args().words, str(ROOT))
    size = int(podman("image", "inspect", "--format", "{{.Size}}", TAG)) / 1e6
    print(f"built in {time.monotonic() - began:.0f} s, {size:.0f} MB with its base")
    name = podman("run", "--detach", *LOCKED_DOWN, "--entrypoint=netral", TAG, "up")
    try:
        tried(name)
        podman("stop", "--time=20", name)
        assert podman("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
    finally:
        podman("rm", "--force", "--volumes", name)


if __name__ == "__main__":
    main()
