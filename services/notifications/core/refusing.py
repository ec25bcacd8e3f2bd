"""The signed link by which a reader ends optional mail; it tells nobody who the reader is. Pure."""

import base64
import hashlib
import hmac
import re

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,200}", re.ASCII)
_MAC = 16


def token_of(reader: str, key: bytes) -> str:
    """The token of a reader: its code, hidden by a keystream of the key, and a MAC over it."""
    code = reader.encode()
    mac = hmac.digest(key, b"unsubscribe\x00" + code, hashlib.sha256)[:_MAC]
    return base64.urlsafe_b64encode(mac + _hidden(code, mac, key)).decode().rstrip("=")


def reader_of(token: str, key: bytes) -> str | None:
    """The reader a token of ours names, or None."""
    if not _TOKEN.fullmatch(token):
        return None
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        code = _hidden(raw[_MAC:], raw[:_MAC], key)
        reader = code.decode()
    except (ValueError, UnicodeDecodeError):
        return None
    mac = hmac.digest(key, b"unsubscribe\x00" + code, hashlib.sha256)[:_MAC]
    return reader if hmac.compare_digest(mac, raw[:_MAC]) else None


def _hidden(text: bytes, mac: bytes, key: bytes) -> bytes:
    """`text` under a keystream that the MAC chooses; done twice it is `text` again."""
    stream = b"".join(
        hmac.digest(key, b"reader\x00" + mac + bytes([block]), hashlib.sha256)
        for block in range(len(text) // 32 + 1)
    )
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))
