"""The keys of agencies as the events and the secret say: who holds one, what it opens, and until when; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.events import KeyChangedData, KeyKind
from contracts.ids import NETRAL, derived_id

PREFIX = 12
"""Characters of a key that may be shown; the rest is more than 200 random bits."""


class Scope(StrEnum):
    """What a key may do: `manage` (directory, keys, law) is for the operator's keys only."""

    READ = "read"
    ACT = "act"
    DELIVERIES = "deliveries"
    MANAGE = "manage"


AGENCY_SCOPES = (Scope.READ, Scope.ACT, Scope.DELIVERIES)


@dataclass(frozen=True)
class Holder:
    """Whose key it is: an agency's code or OPERATOR; with an office it opens that office's cases only."""

    agency: str
    office: str | None = None
    scopes: frozenset[str] = frozenset(Scope)
    key_id: UUID | None = None


class KeyRing:
    """Every key by its id; a lookup takes the same way whatever the key is."""

    def __init__(self) -> None:
        self.keys: dict[UUID, KeyChangedData] = {}
        self._by_hash: dict[str, UUID] = {}
        self._secret: dict[UUID, Holder] = {}

    def hear(self, data: KeyChangedData) -> None:
        """Take a key as its newest version says."""
        known = self.keys.get(data.key_id)
        if known is None or known.version < data.version:
            self.keys[data.key_id] = data
            if data.sha256:
                self._by_hash[data.sha256] = data.key_id

    def bring_in(self, secret: Mapping[str, Holder], at: datetime) -> None:
        """Take the keys of the secret. One that was revoked by an event stays revoked."""
        self._secret = {key_id_of(digest_of(key)): holder for key, holder in secret.items()}
        for key, holder in secret.items():
            self.hear(_of_secret(key, holder, at))

    def bearer(self, token: str, now: datetime) -> Holder | None:
        """The holder of a bearer key; None for an unknown, expired or revoked one."""
        key_id = self._by_hash.get(digest_of(token))
        return self.holder(key_id, now) if key_id else None

    def holder(self, key_id: UUID, now: datetime) -> Holder | None:
        """The holder of a key that is valid now."""
        key = self.keys.get(key_id)
        if key is None or not valid(key, now) or (key.version == 0 and key_id not in self._secret):
            return None
        return Holder(key.holder, key.office, frozenset(key.scopes), key_id)

    def client(self, key_id: UUID, now: datetime) -> KeyChangedData | None:
        """A public key that is valid now."""
        key = self.keys.get(key_id)
        return key if key and key.kind is KeyKind.PUBLIC_KEY and valid(key, now) else None

    def find(self, text: str) -> list[KeyChangedData]:
        """The keys of an id, or of the characters that are shown."""
        wanted = text.strip()
        return [
            key for key in self.keys.values() if wanted in (str(key.key_id), key.prefix) and self.listed(key)
        ]

    def listed(self, key: KeyChangedData) -> bool:
        """Whether a key still means something: one of the secret does only while it stands there."""
        return key.version > 0 or key.key_id in self._secret


def valid(key: KeyChangedData, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def digest_of(token: str) -> str:
    """A key is 256 random bits, so a plain SHA-256 is enough: no dictionary is there for a slow hash to slow down."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def key_id_of(digest: str) -> UUID:
    return derived_id(NETRAL, "key", digest)


def _of_secret(token: str, holder: Holder, at: datetime) -> KeyChangedData:
    """Version 0: any event about the key is newer."""
    digest = digest_of(token)
    return KeyChangedData.model_validate(
        {
            "key_id": key_id_of(digest),
            "version": 0,
            "holder": holder.agency,
            "office": holder.office,
            "prefix": f"sha256:{digest[:8]}",
            "sha256": digest,
            "scopes": tuple(sorted(holder.scopes)),
            "issued_at": at,
        }
    )
