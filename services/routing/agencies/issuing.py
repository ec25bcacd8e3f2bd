"""What issuing, rotating and revoking a key leaves it as; pure. The key itself is given, shown once and kept nowhere."""

from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from contracts.events import KeyChanged, KeyChangedData, KeyKind
from contracts.ids import NETRAL, derived_id
from services.routing.agencies.keyring import PREFIX, digest_of, key_id_of

MARK = "ntr_"
"""How every issued key begins, so that scanners for leaked secrets can find one."""
LONGEST_DAYS = 730


def issued(
    token: str,
    holder: str,
    office: str | None,
    scopes: tuple[str, ...],
    at: datetime,
    expires_at: datetime,
) -> KeyChangedData:
    """A new bearer key."""
    digest = digest_of(token)
    return KeyChangedData.model_validate(
        {
            "key_id": key_id_of(digest),
            "version": 1,
            "holder": holder,
            "office": office,
            "prefix": token[:PREFIX],
            "sha256": digest,
            "scopes": tuple(sorted(scopes)),
            "issued_at": at,
            "expires_at": expires_at,
        }
    )


def registered(
    pem: str, holder: str, office: str | None, scopes: tuple[str, ...], at: datetime, expires_at: datetime
) -> KeyChangedData:
    """A public key whose owner may ask for tokens. Raises ValueError with cause and cure."""
    algorithm_of(pem)
    digest = digest_of(pem.strip())
    return KeyChangedData.model_validate(
        {
            "key_id": key_id_of(digest),
            "version": 1,
            "holder": holder,
            "office": office,
            "kind": KeyKind.PUBLIC_KEY,
            "prefix": f"spki:{digest[:7]}",
            "public_key": pem.strip(),
            "scopes": tuple(sorted(scopes)),
            "issued_at": at,
            "expires_at": expires_at,
        }
    )


def rotated(old: KeyChangedData, new: KeyChangedData, at: datetime, overlap: timedelta) -> KeyChangedData:
    """The old key, which still opens for the overlap but never longer than it would have."""
    until = min(at + overlap, old.expires_at or at + overlap)
    return old.model_copy(update={"version": old.version + 1, "expires_at": until, "replaced_by": new.key_id})


def revoked(old: KeyChangedData, at: datetime) -> KeyChangedData:
    """The key, which opens nothing from now on; revoking it again changes nothing."""
    return old if old.revoked_at else old.model_copy(update={"version": old.version + 1, "revoked_at": at})


def event_of(data: KeyChangedData, at: datetime) -> KeyChanged:
    return KeyChanged(
        id=derived_id(NETRAL, "key", str(data.key_id), str(data.version)),
        source="netral/routing",
        subject=str(data.key_id),
        time=at,
        data=data,
    )


def algorithm_of(pem: str) -> str:
    """The only signature algorithm a public key is used with. Raises ValueError with cause and cure."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(
            "is not a public key in PEM (SubjectPublicKeyInfo); write BEGIN PUBLIC KEY …"
        ) from None
    match key:
        case ed25519.Ed25519PublicKey():
            return "EdDSA"
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
            return "ES256"
        case rsa.RSAPublicKey() if key.key_size >= 2048:
            return "RS256"
    raise ValueError("is too weak or of another kind; give Ed25519, P-256, or RSA of at least 2048 bits")
