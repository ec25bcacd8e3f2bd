"""Whatever goes wrong, `netral` says one sentence and never shows a traceback unless asked."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.versions import commit
from tests.cli.conftest import Netral


def test_no_command_shows_the_help(netral: Netral) -> None:
    ran = netral()
    assert ran.code == 0
    assert all(name in ran.out for name in ("up", "send", "decide", "case", "settings", "doctor", "parked"))


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["decide"], ["decide", "a", "b"], ["send", "--concurrency", "0", "x"], ["case", "--nope"]],
)
def test_a_wrong_line_is_one_sentence_and_exit_code_2(netral: Netral, words: list[str]) -> None:
    ran = netral(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("netral: ")
    assert ran.err.count("\n") == 1


def test_a_bad_setting_is_named(netral: Netral, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRAL_INTAKE_PORT", "eighty")
    ran = netral("send", "report.json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("NETRAL_INTAKE_PORT: ")


@pytest.mark.parametrize("words", [["backup", "copy"], ["parked"], ["mend"], ["cases"]])
@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["no secret", "a secret that is no text"])
def test_a_secret_that_cannot_be_read_is_named(
    netral: Netral, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], content: bytes | None
) -> None:
    monkeypatch.setenv("NETRAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    secrets = tmp_path / "data" / "secrets"
    secrets.mkdir(parents=True)
    for name in ("nats-operator", "agency-keys.json") if content else ():
        (secrets / name).write_bytes(content or b"")
    ran = netral(*words)
    assert (ran.code, ran.out) == (1, "")
    assert str(secrets) in ran.err
    assert "cannot be read" in ran.err


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    command = f"{shlex.quote(str(Path(sys.executable).parent / 'netral'))} --help | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def test_debug_shows_where_it_happened(netral: Netral) -> None:
    assert "Traceback" not in netral("decide", "missing.json").err
    assert "Traceback" in netral("decide", "missing.json", "--debug").err


def test_the_version_is_printed(netral: Netral) -> None:
    assert netral("version").out.startswith("netral 0.")


def test_the_full_version_names_what_a_report_of_a_defect_needs(netral: Netral) -> None:
    found = json.loads(netral("version", "--full", "--json").out)
    assert {"netral", "python", "nats-server", "packaged rulebook", "requirements.lock"} <= set(found)
    assert found["packaged rulebook"].startswith("skb-netralitas-asn ")


def test_the_commit_is_that_of_the_checkout_or_what_the_image_was_built_with(tmp_path: Path) -> None:
    assert commit(tmp_path, {"NETRAL_COMMIT": "6b31c11"}) == "6b31c11"
    assert "not known" in commit(tmp_path, {"NETRAL_COMMIT": ""})

    def git(*words: str) -> str:
        whole = [
            "git",
            "-C",
            str(tmp_path),
            "-c",
            "user.name=netral",
            "-c",
            "user.email=netral@example.test",
            *words,
        ]
        return subprocess.run(whole, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    assert "not known" in commit(tmp_path, {})  # nothing committed yet
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-qm", "One file")
    assert commit(tmp_path, {}) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("b")
    assert commit(tmp_path, {}) == git("rev-parse", "HEAD") + " and changes"
