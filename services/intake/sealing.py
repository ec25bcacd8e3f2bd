"""Seals personal data: each part of a report under its own key, and that key under the key of the vault.

Destroying the wrapped key of a part erases the part (crypto-shredding); older backups still hold that key.
AES-256-GCM with random 96-bit nonces: a data key seals one document, the vault key two keys per report, far
below the 2^32 uses that NIST SP 800-38D allows one key.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

Part = Literal["dossier", "reporter"]
_KEY, _NONCE = 32, 12
"""Bytes."""


@dataclass(frozen=True)
class Sealed:
    """One sealed part; without its wrapped key it is erased."""

    blob: bytes
    wrapped_key: bytes | None


class CannotOpen(Exception):
    """A part cannot be opened: it was erased, or the vault's key is not the one it was sealed with."""


class Sealer:
    """Seals and opens parts with the 256-bit key of the vault."""

    def __init__(self, vault_key: bytes) -> None:
        self._vault = AESGCM(vault_key)
        self.key_id = key_id_of(vault_key)

    def seal(self, report_id: UUID, part: Part, document: dict[str, Any]) -> Sealed:
        """The sealed form of a JSON object. It opens only as this part of this report."""
        bound = _bound_to(report_id, part)
        drawn = os.urandom(_KEY + 2 * _NONCE)  # at once: each asking is a system call
        data_key, nonce, wrapping = drawn[:_KEY], drawn[_KEY:-_NONCE], drawn[-_NONCE:]
        blob = _sealed(AESGCM(data_key), nonce, to_json(document), bound)
        return Sealed(blob, _sealed(self._vault, wrapping, data_key, bound))

    def open(self, report_id: UUID, part: Part, sealed: Sealed) -> dict[str, Any]:
        """The JSON object that was sealed. Raises CannotOpen."""
        if sealed.wrapped_key is None:
            raise CannotOpen(f"the {part} of this report was erased")
        bound = _bound_to(report_id, part)
        try:
            data_key = _opened(self._vault, sealed.wrapped_key, bound)
            document: dict[str, Any] = from_json(_opened(AESGCM(data_key), sealed.blob, bound))
        except InvalidTag:
            raise CannotOpen(
                f"the {part} does not open with vault key {self.key_id}; restore vault.key"
            ) from None
        return document

    def wrapped_anew(self, report_id: UUID, part: Part, wrapped_key: bytes, by: "Sealer") -> bytes:
        """The key of a part, wrapped by this vault's key instead of the one of `by`. Raises CannotOpen."""
        bound = _bound_to(report_id, part)
        try:
            data_key = _opened(by._vault, wrapped_key, bound)
        except InvalidTag:
            raise CannotOpen(f"the {part} does not open with vault key {by.key_id}") from None
        return _sealed(self._vault, os.urandom(_NONCE), data_key, bound)


def key_id_of(vault_key: bytes) -> str:
    """What a report keeps of the key that sealed it: eight hexadecimal digits."""
    return hashlib.sha256(vault_key).hexdigest()[:8]


def _bound_to(report_id: UUID, part: Part) -> bytes:
    return f"{report_id}/{part}".encode()


def _sealed(key: AESGCM, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    return nonce + key.encrypt(nonce, text, bound)


def _opened(key: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
