"""`netral status` asks for the receipt and never takes it from the command line."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Netral
from tests.cli.door import open_door


@pytest.fixture
def status(netral: Netral, monkeypatch: pytest.MonkeyPatch) -> Iterator[Netral]:
    """`netral` whose settings name a door that is open."""
    with open_door() as door:
        monkeypatch.setenv("NETRAL_INTAKE_PORT", door.url.rsplit(":", 1)[1])
        yield netral


def test_ticket_and_receipt_open_the_status(status: Netral) -> None:
    ran = status("status", "NTR-0", stdin=b"SECRET-0\n")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "NTR-0  Diterima (RECEIVED)",
        "received 2026-11-24 10:00:00 at the place",
        "Kajian selesai.",
        "  The study is finished.",
        "Sedang diteruskan.",
        "  Being passed on.",
    ]
    assert json.loads(status("status", "NTR-0", "--json", stdin=b"SECRET-0\n").out)["state"] == "RECEIVED"


def test_a_wrong_receipt_and_an_unknown_ticket_are_one_answer(status: Netral) -> None:
    ran = status("status", "NTR-0", stdin=b"SECRET-1\n")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "this ticket with this receipt: is not known; check the spelling\n"


@pytest.mark.parametrize("receipt", [b"", b"\n", "tanda–terima\n".encode(), b"a\x00b\n"])
def test_what_cannot_be_a_receipt_is_not_sent(status: Netral, receipt: bytes) -> None:
    assert status("status", "NTR-0", stdin=receipt).code == 2


def test_a_receipt_on_the_command_line_is_refused(status: Netral) -> None:
    ran = status("status", "NTR-0", "--receipt", "SECRET-0")
    assert (ran.code, ran.out) == (2, "")
    assert "can be seen by others" in ran.err
