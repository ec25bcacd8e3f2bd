"""Identifiers derived from their cause, so that a retry repeats them (UUIDv5, RFC 9562)."""

import hashlib
import hmac
from uuid import UUID, uuid5

NETRAL = UUID("6f1d1f52-6a0e-5c5b-9a53-7d4b1c6f2e10")
"""The namespace of every id Netral derives. Fixed for ever."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
"""How ten bits are written."""


def derived_id(cause: UUID, *parts: str) -> UUID:
    """The id of what `parts` name within `cause`; the same input gives the same id everywhere."""
    return uuid5(cause, "/".join(parts))


def ticket_for(door_key: bytes, idempotency_key: str) -> str:
    """The public ticket of a report, `NTR-XXXX-XXXX-XXXX-XXXX` (80 bits, Crockford base 32).

    It depends on a secret of the door, so tickets cannot be guessed from idempotency keys.
    """
    return "NTR-" + _grouped(_mac(door_key, "ticket", idempotency_key)[:10])


def receipt_for(door_key: bytes, report_id: UUID) -> str:
    """The secret receipt (120 bits) that opens a report's status; derived, so it is never stored."""
    return _grouped(_mac(door_key, "receipt", str(report_id))[:15])


def report_id_of(ticket: str) -> UUID:
    """The report behind a ticket; spelling in lower case or with blanks around it does not matter."""
    return derived_id(NETRAL, "report", ticket.strip().upper())


def case_id_of(report_id: UUID) -> UUID:
    """The case a report opens that shares no exact key with others; also the cause of what only its reporter is told."""
    return derived_id(report_id, "case")


def case_id_of_key(door_key: bytes, key: str) -> UUID:
    """The case of everything that is reported with one exact key.

    It depends on a secret of the door: names and service numbers are few enough to be tried one after another.
    """
    return derived_id(NETRAL, "case", _mac(door_key, "case", key).hex())


def _mac(key: bytes, purpose: str, message: str) -> bytes:
    return hmac.digest(key, f"{purpose}\x00{message}".encode(), hashlib.sha256)


def _grouped(raw: bytes) -> str:
    """Four characters for twenty bits, the first bits first; `raw` has a multiple of these."""
    bits = int.from_bytes(raw)
    starts = range(8 * len(raw) - 20, -1, -20)
    return "-".join(_PAIRS[bits >> start + 10 & 1023] + _PAIRS[bits >> start & 1023] for start in starts)
