"""Standard Webhooks 1.0 signatures: `v1` (HMAC-SHA256) and `v1a` (ed25519), written and verified (standardwebhooks.com).

The signed content is `{webhook-id}.{webhook-timestamp}.` and the bytes of the body as they came. A list of signatures,
parted by blanks, lets a key be changed without a gap: one good entry is enough, and a bad one hides no good one.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE = 300
"""Seconds that the clocks of sender and receiver may differ, either way."""
MAX_SIGNATURES = 8192
"""Characters of `webhook-signature` that are read at most."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class BadKey(Exception):
    """The text is no key of a webhook; the message says which form one has, never the text."""


class WrongSignature(Exception):
    """The only way in which verifying fails; `reason` is a short sentence for a log. Answer 401."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Key(Protocol):
    """A key that can check a signature of its `version`."""

    version: str

    def fits(self, content: bytes, signature: bytes) -> bool:
        """Whether `signature` is one of `content` by this key, in a time that tells nothing about the key."""


class SigningKey(Key, Protocol):
    """A key that can also sign."""

    def sign(self, content: bytes) -> bytes: ...


@dataclass(frozen=True)
class HmacKey:
    """Both sides hold the same 24 to 64 bytes, `whsec_…`."""

    secret: bytes
    version = "v1"

    def __post_init__(self) -> None:
        if not 24 <= len(self.secret) <= 64:
            raise BadKey("whsec_ holds 24 to 64 bytes in base64")

    def __repr__(self) -> str:
        return "HmacKey(…)"

    def __str__(self) -> str:
        return "whsec_" + base64.b64encode(self.secret).decode()

    def sign(self, content: bytes) -> bytes:
        return hmac.digest(self.secret, content, hashlib.sha256)

    def fits(self, content: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(content), signature)


@dataclass(frozen=True)
class PublicKey:
    """What a receiver holds of an ed25519 key, `whpk_…`: it can check and never sign, so it is no secret."""

    raw: bytes
    version = "v1a"

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise BadKey("whpk_ holds 32 bytes in base64")

    def __str__(self) -> str:
        return "whpk_" + base64.b64encode(self.raw).decode()

    def fits(self, content: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, content)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class PrivateKey:
    """The sender's half of an ed25519 key, `whsk_…`: the 32 bytes of the seed."""

    seed: bytes
    version = "v1a"

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise BadKey("whsk_ holds 32 or 64 bytes in base64")

    def __repr__(self) -> str:
        return "PrivateKey(…)"

    @property
    def public(self) -> PublicKey:
        return PublicKey(Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(content)

    def fits(self, content: bytes, signature: bytes) -> bool:
        return self.public.fits(content, signature)


def key_of(text: str) -> HmacKey | PublicKey | PrivateKey:
    """The key that a text names: `whsec_…`, `whpk_…` or `whsk_…`; without a prefix it is `whsec_`. Raises BadKey."""
    kind, mark, rest = text.strip().rpartition("_")
    if mark and kind not in ("whsec", "whpk", "whsk"):
        raise BadKey("a key begins with whsec_, whpk_ or whsk_")
    try:
        raw = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadKey("a key is base64 after its prefix") from None
    if kind == "whpk":
        return PublicKey(raw)
    if kind == "whsk":
        return PrivateKey(raw[:32] if len(raw) == 64 else raw)
    return HmacKey(raw)


def signed(keys: Iterable[SigningKey], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt at the instant `at` (with a zone), a signature for each key.

    Raises ValueError for an id outside `[A-Za-z0-9_-]` or an instant without a zone.
    """
    if not _ID.fullmatch(message_id) or at.tzinfo is None:
        raise ValueError("a webhook-id is letters, digits, _ and -; an instant has a zone")
    seconds = str(int(at.astimezone(UTC).timestamp()))
    content = _content(message_id, seconds, body)
    entries = (f"{key.version},{base64.b64encode(key.sign(content)).decode()}" for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(entries),
    }


@dataclass(frozen=True)
class Verified:
    """A message that is ours. Remember `message_id`: it stays the same over every repetition."""

    message_id: str
    at: datetime


def verify(
    headers: Mapping[str, str],
    body: bytes,
    keys: Iterable[Key],
    now: datetime,
    tolerance: int = TOLERANCE,
) -> Verified:
    """Check one request against every key that is valid now. Raises WrongSignature, whatever the headers hold.

    `body` is the bytes as they came, before any decoding; `now` has a zone; `tolerance` is in seconds.
    """
    if not isinstance(body, bytes | bytearray | memoryview):
        raise WrongSignature("the body must be the bytes as they came")
    message_id = _header(headers, "webhook-id", _ID)
    seconds = _header(headers, "webhook-timestamp", _SECONDS)
    if abs(int(seconds) - now.timestamp()) > tolerance:
        raise WrongSignature("webhook-timestamp is too old or too new; is the clock right?")
    content = _content(message_id, seconds, bytes(body))
    known = list(keys)
    for version, signature in _entries(_header(headers, "webhook-signature", None)):
        if any(key.version == version and key.fits(content, signature) for key in known):
            return Verified(message_id, datetime.fromtimestamp(int(seconds), UTC))
    raise WrongSignature("no signature fits; is the body as it came, and the key the current one?")


def _content(message_id: str, seconds: str, body: bytes) -> bytes:
    return f"{message_id}.{seconds}.".encode() + body


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str] | None) -> str:
    """The value of a header, whatever the case of its name."""
    try:
        found = [value for key, value in headers.items() if str(key).lower() == name]
    except (AttributeError, TypeError, ValueError):
        found = []
    if len(found) != 1 or not isinstance(found[0], str):
        raise WrongSignature(f"{name} is missing or there twice")
    if form and not form.fullmatch(found[0]):
        raise WrongSignature(f"{name} is malformed")
    return found[0]


def _entries(listed: str) -> Iterable[tuple[str, bytes]]:
    """The readable entries of a list of signatures; what is not readable is passed over."""
    if len(listed) > MAX_SIGNATURES:
        raise WrongSignature("webhook-signature is too long")
    for entry in listed.split():
        version, _, text = entry.partition(",")
        try:
            yield version, base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
