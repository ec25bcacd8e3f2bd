"""The keys of endpoints, derived from the secret `webhook.key`: none is ever stored, in the clear or sealed.

Endpoint, kind and number make a key; the next number is another key that tells nothing of this one. Whoever has the
database or the log alone can forge nothing.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contracts.receiver.signing import HmacKey, PrivateKey
from contracts.webhooks import EndpointChangedData, EndpointKey, Signing

MOST_KEYS = 3
"""How many keys sign at once at most: the current one and those of the latest rotations."""


class EndpointKeys:
    """`master` is 256 bits in hex. Raises ValueError for anything else."""

    def __init__(self, master: str) -> None:
        self._master = bytes.fromhex(master)
        if len(self._master) != 32:
            raise ValueError("webhook.key is 64 hexadecimal digits")

    def key(self, endpoint_id: UUID, signing: Signing, number: int) -> HmacKey | PrivateKey:
        """One key of an endpoint."""
        raw = self._derived(f"key/{endpoint_id}/{signing}/{number}")
        return HmacKey(raw) if signing is Signing.HMAC else PrivateKey(raw)

    def shown(self, endpoint: EndpointChangedData) -> str:
        """The receiver's half of the current key, as it is shown once: `whpk_…`, or `whsec_…` for HMAC."""
        key = self.key(endpoint.endpoint_id, endpoint.signing, endpoint.keys[0].number)
        return str(key.public if isinstance(key, PrivateKey) else key)

    def valid(self, endpoint: EndpointChangedData, now: datetime) -> list[HmacKey | PrivateKey]:
        """The keys that sign at an instant, the current one first."""
        return [
            self.key(endpoint.endpoint_id, endpoint.signing, key.number)
            for key in endpoint.keys
            if key.until is None or key.until > now
        ]

    def challenge(self, endpoint: EndpointChangedData, url: str) -> str:
        """What the holder of a URL must say back."""
        return self._derived(f"challenge/{endpoint.endpoint_id}/{endpoint.number}/{url}").hex()[:40]

    def _derived(self, what: str) -> bytes:
        return hmac.digest(self._master, what.encode(), hashlib.sha256)


def rotated(keys: Sequence[EndpointKey], now: datetime, overlap: timedelta) -> tuple[EndpointKey, ...]:
    """The keys after a rotation: a new one, and the older ones for as long as they overlap."""
    newest = max(key.number for key in keys) + 1
    until = now + overlap
    older = [
        key.model_copy(update={"until": min(key.until or until, until)})
        for key in keys
        if key.until is None or key.until > now
    ]
    return EndpointKey(number=newest), *(older[: MOST_KEYS - 1] if overlap else ())
