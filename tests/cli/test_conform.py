"""`netral conform URL` passes a good receiver and names exactly what the makers of a bad one must mend."""

import json
from pathlib import Path

import pytest

from tests.cli import receivers
from tests.cli.conftest import Netral, Ran
from tests.cli.receivers import Good, serving
from tests.ports import free_port

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def run(netral: Netral, receiver: Good, tmp_path: Path) -> tuple[Ran, set[str]]:
    """How it ended, and the names of the checks that failed."""
    (tmp_path / "key").write_text(SECRET)
    with serving(receiver) as url:
        ran = netral("conform", url, "--key-file", tmp_path / "key", "--json")
    return ran, {check["check"] for check in json.loads(ran.out) if not check["good"]}


def test_the_receiver_of_the_kit_passes(netral: Netral, tmp_path: Path) -> None:
    ran, failed = run(netral, Good(SECRET), tmp_path)
    assert failed == set()
    assert ran.code == 0


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("Trusting", {"challenge", "wrong signature", "changed body, id or time", "no signature", "stale"}),
        ("Raising", {"broken signature", "good among broken"}),
        ("Timeless", {"stale", "from the future"}),
        ("OnlyOnce", {"duplicated", "replayed later", "the same at once"}),
        ("Strict", {"unknown fields", "unknown kind", "large"}),
        ("Moved", {"right signature", "wrong signature", "far too large"}),
    ],
)
def test_a_bad_receiver_hears_what_to_mend(
    netral: Netral, tmp_path: Path, kind: str, wanted: set[str]
) -> None:
    ran, failed = run(netral, getattr(receivers, kind)(SECRET), tmp_path)
    assert ran.code == 1
    exactly = kind not in ("Trusting", "Moved")
    assert failed == wanted if exactly else failed >= wanted
    assert all(check["mend"] for check in json.loads(ran.out) if not check["good"])


def test_without_a_key_one_is_made_and_its_public_half_is_told(netral: Netral, tmp_path: Path) -> None:
    first = netral("conform", "http://127.0.0.1:9/", "--key-file", tmp_path / "new.key")
    assert first.code == 2
    public = next(word for word in first.err.split() if word.startswith("whpk_"))
    assert (tmp_path / "new.key").stat().st_mode & 0o077 == 0
    with serving(Good(public)) as url:
        ran = netral("conform", url, "--key-file", tmp_path / "new.key")
    assert ran.code == 0, ran.out
    assert "as they must be" in ran.out


def test_a_receiver_that_is_not_there_fails_every_check_but_says_so_shortly(
    netral: Netral, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(SECRET)
    ran = netral("conform", f"http://127.0.0.1:{free_port()}/", "--key-file", tmp_path / "key")
    assert ran.code == 1
    assert "ConnectError" in ran.out
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("key", "says"), [("whpk_" + "A" * 43 + "=", "cannot sign"), ("nonsense%", "base64")]
)
def test_a_key_that_cannot_sign_is_one_sentence(netral: Netral, tmp_path: Path, key: str, says: str) -> None:
    (tmp_path / "key").write_text(key)
    ran = netral("conform", "http://127.0.0.1:9/", "--key-file", tmp_path / "key")
    assert (ran.code, says in ran.err) == (2, True)
