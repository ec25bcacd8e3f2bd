"""Seals what people write about a case, and numbers they give, so that the log holds nobody's words in the clear.

AES-256-GCM, bound to the case and the step; the key is the secret `case.key`.
"""

import base64
import hmac
import json
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Words:
    """Opens and seals with one 256-bit key, given in hex. Raises ValueError for another."""

    def __init__(self, key: str) -> None:
        self._key = AESGCM(bytes.fromhex(key))
        self._marks = hmac.digest(bytes.fromhex(key), b"netral number mark", "sha256")

    def seal(self, case_id: UUID, step: int, words: dict[str, str]) -> str | None:
        """The sealed text; None where there is nothing to seal."""
        if not words:
            return None
        nonce = os.urandom(_NONCE)
        text = json.dumps(words, ensure_ascii=False).encode()
        return base64.b64encode(nonce + self._key.encrypt(nonce, text, _bound(case_id, step))).decode()

    def mark(self, case_id: UUID, number: str) -> str:
        """A digest that tells equal numbers of one case apart from others, and nobody the number."""
        return hmac.digest(self._marks, f"{case_id}/{number}".encode(), "sha256").hex()[:32]

    def opens(self, case_id: UUID, step: int, sealed: str) -> bool:
        """Whether what was sealed opens with this key."""
        try:
            self._opened(case_id, step, sealed)
        except InvalidTag:
            return False
        return True

    def open(self, case_id: UUID, step: int, sealed: str | None) -> dict[str, str]:
        """The words again; empty where there are none. What does not open with this key says so and names the cure."""
        if not sealed:
            return {}
        try:
            words: dict[str, str] = json.loads(self._opened(case_id, step, sealed))
        except InvalidTag:
            return {"sealed": "does not open with this case.key; restore the key from your backup"}
        return words

    def _opened(self, case_id: UUID, step: int, sealed: str) -> bytes:
        raw = base64.b64decode(sealed)
        return self._key.decrypt(raw[:_NONCE], raw[_NONCE:], _bound(case_id, step))


def _bound(case_id: UUID, step: int) -> bytes:
    return f"{case_id}/{step}".encode()
