"""Short-lived access tokens for those who prove a private key (RFC 7523 client assertions, OAuth 2.0 client credentials).

A token only names a registered key, so revoking the key ends every token at once. Times are checked by our own clock.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from sqlalchemy import Column, MetaData, String, Table, delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.events import KeyChangedData
from services.routing.agencies.issuing import algorithm_of
from services.routing.agencies.keyring import Holder, KeyRing
from services.runtime.clock import Clock
from services.runtime.database import Instant, writing

LIFETIME = timedelta(minutes=10)
"""Of an access token, and the longest of an assertion."""
LEEWAY = timedelta(seconds=30)

metadata = MetaData()
assertions = Table(
    "used_assertions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("until", Instant, nullable=False, index=True),
)
_NO_CLOCK = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


class Unproved(Exception):
    """The assertion proves nothing; the text is safe to send."""


class Tokens:
    """`audience` are the names by which clients may call us; `secret` signs access tokens and never leaves us."""

    def __init__(
        self, ring: KeyRing, engine: AsyncEngine, secret: bytes, audience: tuple[str, ...], clock: Clock
    ) -> None:
        self._ring, self._engine, self._clock = ring, engine, clock
        self._secret, self._audience = secret, audience

    async def open(self) -> None:
        """Make the table of used assertions. Raises SQLAlchemyError."""
        async with writing(self._engine) as connection:
            await connection.run_sync(metadata.create_all)

    def client_of(self, assertion: str) -> KeyChangedData | None:
        """The registered key an assertion says it is signed with; nothing is proved yet."""
        try:
            named = jwt.decode(assertion, options={"verify_signature": False}).get("sub")
            return self._ring.client(UUID(str(named)), self._clock())
        except (jwt.PyJWTError, ValueError):
            return None

    async def exchange(self, assertion: str, wanted: str | None) -> dict[str, Any]:
        """A token for an assertion, once. Raises Unproved and SQLAlchemyError."""
        client = self.client_of(assertion)
        if client is None or client.public_key is None:
            raise Unproved("no valid key is registered under sub")
        claims = self._claims(assertion, client)
        scopes = _narrowed(client.scopes, wanted)
        await self._once(client, claims)
        now = self._clock()
        body = {
            "iss": self._audience[0],
            "sub": str(client.key_id),
            "scope": " ".join(scopes),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return {
            "access_token": jwt.encode(body, self._secret, "HS256"),
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "scope": body["scope"],
        }

    def holder(self, token: str) -> Holder | None:
        """Whose token this is; None for a wrong or old one, or one whose key is gone."""
        try:
            claims = jwt.decode(token, self._secret, ["HS256"], issuer=self._audience[0], options=_NO_CLOCK)  # type: ignore[arg-type]
            key_id, until = UUID(claims["sub"]), datetime.fromtimestamp(claims["exp"], UTC)
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            return None
        now = self._clock()
        client = self._ring.client(key_id, now)
        if client is None or now >= until:
            return None
        scopes = frozenset(claims["scope"].split()) & set(client.scopes)
        return Holder(client.holder, client.office, scopes, key_id)

    def _claims(self, assertion: str, client: KeyChangedData) -> dict[str, Any]:
        """Raises Unproved."""
        pem = client.public_key or ""
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                pem,
                [algorithm_of(pem)],
                audience=list(self._audience),
                issuer=str(client.key_id),
                options={**_NO_CLOCK, "require": ["exp", "jti", "iss", "sub", "aud"]},  # type: ignore[arg-type]
            )
            until = datetime.fromtimestamp(claims["exp"], UTC)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise Unproved("the signature, iss, aud, exp or jti is not as it must be") from None
        now = self._clock()
        if not now - LEEWAY < until <= now + LIFETIME + LEEWAY:
            raise Unproved("exp has passed, or lies more than ten minutes ahead")
        return claims

    async def _once(self, client: KeyChangedData, claims: dict[str, Any]) -> None:
        """Raises Unproved for an assertion that was used before."""
        digest = hashlib.sha256(
            f"{client.key_id}\x00{claims['jti']}".encode("utf-8", "surrogatepass")
        ).hexdigest()
        until = datetime.fromtimestamp(claims["exp"], UTC) + 2 * LEEWAY
        try:
            async with writing(self._engine) as connection:
                await connection.execute(delete(assertions).where(assertions.c.until < self._clock()))
                await connection.execute(insert(assertions).values(digest=digest, until=until))
        except IntegrityError:
            raise Unproved("jti was used before; make a new assertion for each token") from None


def _narrowed(scopes: tuple[str, ...], wanted: str | None) -> list[str]:
    """Raises Unproved for a scope the key has not."""
    if not wanted:
        return sorted(scopes)
    if not set(wanted.split()) <= set(scopes):
        raise Unproved("scope names what this key may not do")
    return sorted(set(wanted.split()))
