"""Every letter as a file a person can read; `NETRAL_GOLDEN=write` writes them anew."""

import email
import os
from email import policy
from pathlib import Path

import pytest

from services.notifications.core.letters import Desk, Dispatch, letter
from services.notifications.core.matrix import matrix
from services.notifications.core.notices import (
    Duty,
    merged,
    message_id,
    thread_root,
)
from services.notifications.preview import examples
from tests.notifications.core.test_telling import on_accepted, on_decided, on_offered
from tests.notifications.story import CANARY, NOON, a_story

LETTERS = Path(__file__).parents[1] / "letters"
OWN = ("received", "routed", "offered")
DESK = Desk("netral@localhost", "http://127.0.0.1:8080", "http://127.0.0.1:8081")


def notices():
    one = a_story()
    nobody = a_story(person__status="UNKNOWN", act__code="OTHER")
    unowned = on_decided(nobody.decided)
    offers = {n.agency: n for offer in one.offers for n in on_offered(offer)}
    village = a_story(person__status="KEPALA_DESA", person__nip=None, person__employer={"kind": "DESA"})
    more = offers["BAWASLU"].facts.model_copy(
        update={"duties": (Duty(role="COPY", basis=("SKB 22 September 2022",), deadline=None),)}
    )
    others = {name: notice for name, notice in examples(matrix()).items() if name not in OWN}
    return others | {
        "received": on_accepted(one.accepted),
        "routed": on_decided(one.decided),
        "routed-nobody": unowned.model_copy(
            update={"facts": unowned.facts.model_copy(update={"addressees": ()})}
        ),
        "routed-village-head": on_decided(village.decided),
        "offered-action": offers["BAWASLU"],
        "offered-information": offers["BKN"],
        "offered-two-roles": offers["BAWASLU"].model_copy(
            update={"facts": merged(offers["BAWASLU"].facts, more)}
        ),
    }


def sent(notice, **changed):
    ids = (
        message_id(notice.notice_id, b"key", "netral.invalid"),
        thread_root(notice, b"key", "netral.invalid"),
    )
    dispatch = Dispatch("pembaca@contoh.example", *ids, NOON, **changed)
    return letter(notice, dispatch, DESK).as_bytes()


@pytest.mark.parametrize("name", notices())
def test_a_letter_reads_as_it_was_agreed(name):
    mail = email.message_from_bytes(sent(notices()[name]), policy=policy.default)
    head = "".join(f"{key}: {value}\n" for key, value in mail.items() if key != "Content-Type")
    written = head + "\n" + mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    path = LETTERS / f"{name}.txt"
    if os.environ.get("NETRAL_GOLDEN") == "write":
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", notices())
def test_a_letter_parses_back_with_its_headers(name):
    notice = notices()[name]
    mail = email.message_from_bytes(sent(notice), policy=policy.default)
    assert mail["Message-ID"] == message_id(notice.notice_id, b"key", "netral.invalid")
    assert mail["From"] == "netral@localhost"
    assert mail["To"] == "pembaca@contoh.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "id, en"
    assert mail["Date"].datetime == NOON
    assert mail["X-Netral-Possible-Duplicate"] is None
    named = "[Netral] " if name in ("digest", "webhook") else f"[Netral {notice.facts.ticket}] "
    assert mail["Subject"].startswith(named)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert not mail.defects
    text = mail.get_body(("plain",)).get_content()
    assert all(len(line) <= 72 or line.startswith("  http") for line in text.splitlines())


@pytest.mark.parametrize("name", notices())
def test_a_letter_holds_nothing_personal_and_presumes_innocence(name):
    text = sent(notices()[name]).decode()
    assert CANARY not in text
    assert "198609262015051001" not in text
    assert "contoh.example" not in text.replace("pembaca@contoh.example", "")
    if name != "webhook":  # it is about no case
        assert "tidak bersalah" in text
        assert "presumed innocent" in text


def test_the_second_letter_to_a_reporter_answers_the_first():
    first, second = (email.message_from_bytes(sent(notices()[name])) for name in ("received", "routed"))
    assert first["In-Reply-To"] is None
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]


def test_a_letter_that_may_be_a_copy_says_so_and_is_otherwise_the_same():
    notice = notices()["offered-action"]
    again = sent(notice, doubtful=True).replace(b"X-Netral-Possible-Duplicate: yes\r\n", b"")
    assert again == sent(notice)


HOSTILE = (
    "X\r\nBcc: a@b.c",
    "NTR-\u202egpj.exe \u2066a\u200b",
    "<script>alert(1)</script> http://evil.example www.evil.example javascript:alert(1)",
)


@pytest.mark.parametrize("evil", HOSTILE)
def test_codes_from_elsewhere_bring_no_header_no_direction_no_markup_and_nothing_to_click(evil):
    for notice in notices().values():
        facts = notice.facts.model_copy(update={"ticket": evil, "region": evil})
        raw = sent(notice.model_copy(update={"facts": facts}))
        mail = email.message_from_bytes(raw, policy=policy.default)
        assert mail["Bcc"] is None
        assert "<script" not in mail.get_body(("html",)).get_content()
        written = [mail["Subject"], *(mail.get_body((k,)).get_content() for k in ("plain", "html"))]
        for bad in ("\u202e", "\u2066", "\u200b", "http://evil", "www.evil", "javascript:"):
            assert not any(bad in part for part in written), bad
