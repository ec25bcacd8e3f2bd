"""Runs `netral` in this process, and holds the report that the tests bend."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.cli.main import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Netral = Callable[..., Ran]


@pytest.fixture
def netral(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Netral:
    """`netral(*words, stdin=b"")`, with an empty working folder and a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETRAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object, stdin: bytes = b"") -> Ran:
        with monkeypatch.context() as inner:
            inner.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            code = main([str(word) for word in words])
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def report() -> dict[str, Any]:
    """The example of the contract, about a campaign photograph in Sumbawa."""
    place = "kemendagri:52.04"
    return {
        "schema": "netral.report.v1",
        "reported_on": "2024-10-25",
        "election": {"kind": "PILKADA", "year": 2024, "office": "BUPATI"},
        "incident": {"occurred_on": "2024-10-22", "known_on": "2024-10-23", "region": place},
        "persons": [
            {
                "ref": "pelapor menulis ini",
                "status": "PNS",
                "post": "GURU",
                "post_kind": "FUNGSIONAL",
                "employer": {"kind": "KABUPATEN", "region": place},
            }
        ],
        "acts": [
            {"person": "pelapor menulis ini", "code": "PHOTO_WITH_CANDIDATE", "beneficiary": "CALON"},
        ],
        "narrative": "Foto bersama calon di lapangan desa.",
        "evidence": [{"sha256": "0" * 64}],
        "reporter": {"kind": "VOTER", "name": "Warga Contoh", "address": "Alamat contoh"},
    }
