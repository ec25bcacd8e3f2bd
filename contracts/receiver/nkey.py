"""NKEYs: the ed25519 keys by which an agency proves to the broker who it is; the broker holds the public half only.

The text form is base 32 of a prefix, 32 bytes and a CRC-16 (docs.nats.io, NKeys): seeds begin with SU, public keys with U.
"""

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SEED_OF_A_USER = bytes([(18 << 3) | (20 << 3 >> 5), (20 << 3 & 31) << 3])
_USER = bytes([20 << 3])


class BadSeed(Exception):
    """The text is no seed of a user; the message never repeats it."""


def seed_of(raw: bytes) -> str:
    """The seed `SU…` of 32 random bytes. Raises ValueError for another length."""
    if len(raw) != 32:
        raise ValueError("a seed is made of 32 bytes")
    return _written(_SEED_OF_A_USER + raw)


def public_of(seed: str) -> str:
    """The public key `U…` of a seed. Raises BadSeed."""
    return _written(_USER + _key(seed).public_key().public_bytes_raw())


def sign(seed: str, nonce: str) -> bytes:
    """The broker's nonce signed, as the protocol of NATS sends it (base64). Raises BadSeed."""
    return base64.b64encode(_key(seed).sign(nonce.encode()))


def _key(seed: str) -> Ed25519PrivateKey:
    try:
        raw = base64.b32decode(seed.strip() + "=" * (-len(seed.strip()) % 8))
    except (binascii.Error, ValueError):
        raise BadSeed("a seed is base 32 and begins with SU") from None
    if len(raw) != 36 or raw[:2] != _SEED_OF_A_USER or _crc(raw[:-2]) != raw[-2:]:
        raise BadSeed("this is not the whole seed of a user, as it was issued: SU and 56 characters more")
    return Ed25519PrivateKey.from_private_bytes(raw[2:34])


def _written(raw: bytes) -> str:
    return base64.b32encode(raw + _crc(raw)).decode().rstrip("=")


def _crc(raw: bytes) -> bytes:
    return binascii.crc_hqx(raw, 0).to_bytes(2, "little")
