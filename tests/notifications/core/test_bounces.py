"""Bounce addresses and what comes back to them, as real mail servers write it."""

from email import policy
from email.message import EmailMessage
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.core.bounces import Fate, Returned, bounce_address, bounced_notice, read_returned

KEY, OURS = b"key", "bounces@netral.example.go.id"


def report(action, status):
    """A delivery report as RFC 3464 has it."""
    lines = [
        "From: MAILER-DAEMON@mx.example.go.id",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="batas"',
        "",
        "--batas",
        "Content-Type: text/plain",
        "",
        "This is the mail system.",
        "--batas",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.go.id",
        "",
        "Final-Recipient: rfc822; piket@example.go.id",
        f"Action: {action}",
        f"Status: {status}",
        "Diagnostic-Code: smtp; 550 5.1.1 unknown",
        "",
        "--batas--",
        "",
    ]
    return "\r\n".join(lines).encode()


def a_mail(**headers):
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = "Balasan"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Terima kasih.")
    return mail.as_bytes()


@given(st.uuids())
def test_a_bounce_address_names_its_mail_and_fits_an_envelope(notice):
    address = bounce_address(OURS, notice, KEY)
    assert len(address.partition("@")[0]) <= 64
    assert bounced_notice(address, OURS, KEY) == notice
    assert bounced_notice(f"<{address.upper()}>", OURS, KEY) == notice


def test_nobody_else_can_make_or_change_one():
    address = bounce_address(OURS, UUID(int=7), KEY)
    assert bounced_notice(address, OURS, b"other") is None
    assert bounced_notice(address.replace("example", "contoh"), OURS, KEY) is None
    assert bounced_notice(OURS, OURS, KEY) is None
    other = bounce_address(OURS, UUID(int=8), KEY)
    mixed = address.partition(".")[0] + "." + other.partition(".")[2]
    assert bounced_notice(mixed, OURS, KEY) is None


@pytest.mark.parametrize(
    ("action", "status", "fate"),
    [
        ("failed", "5.1.1", Fate.FAILED),
        ("failed", "5.7.1", Fate.FAILED),
        ("failed", "5.2.2", Fate.EXPIRED),
        ("failed", "4.4.1", Fate.EXPIRED),
        ("delayed", "4.4.1", Fate.DELAYED),
        ("delivered", "2.0.0", Fate.DELIVERED),
        ("relayed", "2.0.0", Fate.DELIVERED),
        ("exploded", "5.0.0", Fate.AUTOMATIC),
    ],
)
def test_a_report_says_what_became_of_the_mail(action, status, fate):
    found = read_returned(report(action, status))
    assert found.fate is fate
    assert found.status in (status, "")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x=y"},
        {"Precedence": "bulk"},
        {"List_Id": "<umum.example>"},
        {"X_Autoreply": "yes"},
        {"Subject": "Automatic reply: Laporan"},
        {"Subject": "Balasan otomatis: sedang cuti"},
    ],
)
def test_an_automatic_answer_changes_nothing(headers):
    given_headers = {name: value for name, value in headers.items() if name != "Subject"}
    raw = a_mail(**given_headers)
    if "Subject" in headers:
        raw = raw.replace(b"Subject: Balasan", b"Subject: " + headers["Subject"].encode())
    assert read_returned(raw, "orang@example.go.id").fate is Fate.AUTOMATIC


def test_a_message_from_nobody_is_automatic_and_a_person_is_a_person():
    assert read_returned(a_mail(), "").fate is Fate.AUTOMATIC
    assert read_returned(a_mail(), "orang@example.go.id").fate is Fate.HUMAN


@given(st.binary(max_size=400))
def test_rubbish_never_raises_and_changes_nothing(raw):
    assert read_returned(raw).fate in (Fate.AUTOMATIC, Fate.HUMAN)


def test_a_report_without_a_readable_part_changes_nothing():
    broken = report("failed", "5.1.1").replace(b"Action: failed", b"Aktion: failed")
    assert read_returned(broken) == Returned(Fate.AUTOMATIC)
