"""Recipients for people who try the system: their mail always arrives, bounces, is refused, or is put off."""

import asyncio
import smtplib
from contextlib import suppress
from typing import Any

PREFIX = "simulated-"
"""What the local part begins with: simulated-delivers@, simulated-bounces@, simulated-refused@, simulated-temporary@."""
ANSWERS = {"refused": "550 5.1.1 simulated: no such mailbox", "temporary": "451 4.7.1 simulated: try later"}
_REPORT = """\
From: MAILER-DAEMON@netral.local
To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="simulated"

--simulated
Content-Type: text/plain

This mailbox is simulated: it takes every mail and gives it back.
--simulated
Content-Type: message/delivery-status

Reporting-MTA: dns; netral.local

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1

--simulated--
"""


def kind_of(recipient: str) -> str | None:
    """What a simulated recipient does, or None for any other."""
    local = recipient.partition("@")[0].lower()
    return local.removeprefix(PREFIX) if local.startswith(PREFIX) else None


async def give_back(envelope: Any, bounce_port: int) -> None:
    """Send a delivery report for each recipient that bounces to the LMTP door of notifications, if there is one."""
    for recipient in envelope.rcpt_tos:
        if bounce_port and envelope.mail_from and kind_of(recipient) == "bounces":
            report = _REPORT.format(sender=envelope.mail_from, recipient=recipient)
            with suppress(OSError, smtplib.SMTPException):
                await asyncio.to_thread(_leave, bounce_port, envelope.mail_from, report)


def _leave(port: int, sender: str, report: str) -> None:
    with smtplib.LMTP("127.0.0.1", port) as client:
        client.sendmail("", [sender], report)
