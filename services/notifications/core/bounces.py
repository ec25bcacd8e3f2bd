"""Bounce addresses that only we can make, and what a message that came back says (RFC 3464, RFC 3834). Pure."""

import base64
import email
import hashlib
import hmac
import re
from email import policy
from email.message import Message
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

_TOKEN = re.compile(r"([a-z2-7]{26})\.([a-z2-7]{8})", re.ASCII)
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b", re.ASCII)
_OUT_OF_OFFICE = re.compile(
    r"(?i)\b(out of (the )?office|automatic reply|auto(matic)?[ -]?(reply|response)|autoreply|vacation"
    r"|on leave|balasan otomatis|jawaban otomatis|sedang cuti|di luar kantor)\b"
)
_LIST_HEADERS = ("List-Id", "List-Unsubscribe", "List-Post", "X-Autoreply", "X-Autorespond", "X-Auto-Reply")
MAILBOX_FULL = "5.2.2"


class Fate(StrEnum):
    """What a message that came in says of a mail of ours."""

    FAILED = "FAILED"
    """It can never be delivered."""
    EXPIRED = "EXPIRED"
    """It could not be delivered in time: mailbox full, or a server away for days."""
    DELAYED = "DELAYED"
    DELIVERED = "DELIVERED"
    AUTOMATIC = "AUTOMATIC"
    """A machine wrote, and it is no report of delivery: never answered, changes nothing."""
    HUMAN = "HUMAN"
    """Somebody answered the envelope; there is nobody who reads here."""


class Returned(NamedTuple):
    """`status` is the enhanced status code, or empty."""

    fate: Fate
    status: str = ""


def bounce_address(address: str, notice: UUID, key: bytes) -> str:
    """The envelope sender of a notice: `bounces+<notice>.<mac>@domain`, so a bounce names its mail by itself."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{_code(notice)}.{_mac(notice, key)}@{domain}"


def bounced_notice(recipient: str, address: str, key: bytes) -> UUID | None:
    """The notice a bounce address names, or None for one that we did not make."""
    local, _, domain = recipient.strip("<> ").rpartition("@")
    wanted, _, ours = address.rpartition("@")
    head, _, token = local.partition("+")
    found = _TOKEN.fullmatch(token.lower())
    if found is None or (head.lower(), domain.lower()) != (wanted.lower(), ours.lower()):
        return None
    try:
        notice = UUID(bytes=base64.b32decode(found.group(1).upper() + "======"))
    except ValueError:
        return None
    return notice if hmac.compare_digest(found.group(2), _mac(notice, key)) else None


def read_returned(raw: bytes, envelope_sender: str = "") -> Returned:
    """What a message to a bounce address is. Never raises: what cannot be read is AUTOMATIC and changes nothing."""
    try:
        message = email.message_from_bytes(raw, policy=policy.compat32)
        if _is_report(message):
            return _worst(_groups(message))
        return Returned(Fate.AUTOMATIC if _by_a_machine(message, envelope_sender) else Fate.HUMAN)
    except (ValueError, LookupError, AttributeError, TypeError):
        return Returned(Fate.AUTOMATIC)


def _is_report(message: Message) -> bool:
    return (
        message.get_content_type() == "multipart/report"
        and str(message.get_param("report-type", "")).lower() == "delivery-status"
    )


def _by_a_machine(message: Message, envelope_sender: str) -> bool:
    """RFC 3834: marked as automatic, from nobody, from a list, or with the words of an absence."""
    marked = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower() != "no"
    bulk = str(message.get("Precedence", "")).strip().lower() in ("bulk", "junk", "list", "auto_reply")
    listed = any(name in message for name in _LIST_HEADERS)
    absent = _OUT_OF_OFFICE.search(str(message.get("Subject", ""))) is not None
    return marked or bulk or listed or absent or envelope_sender.strip("<> ") == ""


def _groups(message: Message) -> list[tuple[str, str]]:
    """Action and status of every recipient that the report names."""
    found = []
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        payload = part.get_payload()
        for group in payload if isinstance(payload, list) else []:
            if isinstance(group, Message) and "Action" in group:
                status = _STATUS.search(str(group.get("Status", "")))
                found.append((str(group["Action"]).strip().lower(), status.group() if status else ""))
    return found


def _worst(groups: list[tuple[str, str]]) -> Returned:
    fates = [_fate(action, status) for action, status in groups]
    for fate in (Fate.FAILED, Fate.EXPIRED, Fate.DELAYED, Fate.DELIVERED):
        if found := next((one for one in fates if one.fate is fate), None):
            return found
    return Returned(Fate.AUTOMATIC)


def _fate(action: str, status: str) -> Returned:
    match action:
        case "failed" if status.startswith("4") or status == MAILBOX_FULL:
            return Returned(Fate.EXPIRED, status)
        case "failed":
            return Returned(Fate.FAILED, status)
        case "delayed":
            return Returned(Fate.DELAYED, status)
        case "delivered" | "relayed" | "expanded":
            return Returned(Fate.DELIVERED, status)
    return Returned(Fate.AUTOMATIC)


def _code(notice: UUID) -> str:
    return base64.b32encode(notice.bytes).decode().rstrip("=").lower()


def _mac(notice: UUID, key: bytes) -> str:
    mac = hmac.digest(key, f"bounce\x00{notice}".encode(), hashlib.sha256)
    return base64.b32encode(mac[:5]).decode().lower()
