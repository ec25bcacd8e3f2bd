"""The part of the API document that is about keys and tokens."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.codes import Agency
from contracts.events import KeyKind
from contracts.openapi import Answer, Operation, Parameter
from services.routing.agencies.keys_api import ROOT, NewKey, Rotation
from services.routing.agencies.openapi import AWAY, BODY, KEY, OPERATOR, OVERTAKEN
from services.routing.agencies.token_api import ASSERTION, PATH


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class KeyAnswer(Model):
    """A key without itself; instants are UTC, `last_used` is the hour. `valid` is false once expired or revoked."""

    key_id: UUID
    holder: Agency | Literal["OPERATOR"]
    office: str | None
    kind: KeyKind
    prefix: str
    public_key: str | None
    scopes: list[str]
    issued_at: str
    expires_at: str | None
    revoked_at: str | None
    replaced_by: UUID | None
    valid: bool
    last_used: str | None


class IssuedKey(KeyAnswer):
    """`key` stands here and nowhere else, ever; null where a public key was registered."""

    key: str | None


class KeysAnswer(Model):
    keys: list[KeyAnswer]


class TokenForm(Model):
    """RFC 7523: `client_assertion` is a JWT with iss and sub = key_id, aud = our address, exp at most ten minutes ahead,
    and a jti that is never used again, signed with EdDSA, ES256 or RS256."""

    grant_type: Literal["client_credentials"]
    client_assertion_type: Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    client_assertion: str
    scope: str | None = None


class TokenAnswer(Model):
    """Send it as `Authorization: Bearer …`; `expires_in` is seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class TokenError(Model):
    """RFC 6749 section 5.2."""

    error: str
    error_description: str


_ANSWERS = {**OPERATOR, 409: OVERTAKEN, **BODY, 503: AWAY}
KEYS = (
    Operation(
        "GET",
        ROOT,
        "The keys",
        "Every key with its prefix and the hour it was last used, never itself.",
        {200: Answer("The keys.", KeysAnswer), **OPERATOR, 503: AWAY},
        parameters=(Parameter("holder", "Only of this agency, or OPERATOR.", where="query"),),
        security=KEY,
    ),
    Operation(
        "POST",
        ROOT,
        "Issue a key",
        "The key is shown once. With `public_key` a public key is registered, for tokens.",
        {200: Answer("The key.", IssuedKey), **_ANSWERS},
        request=NewKey,
        security=KEY,
    ),
    Operation(
        "POST",
        f"{ROOT}/{{key}}/rotation",
        "Rotate a key",
        "A new key of the same holder and scopes; the old one opens for the overlap.",
        {200: Answer("The new key.", IssuedKey), **_ANSWERS},
        request=Rotation,
        security=KEY,
    ),
    Operation(
        "POST",
        f"{ROOT}/{{key}}/revocation",
        "Revoke a key",
        "It opens nothing any more; revoking it again changes nothing.",
        {200: Answer("The key.", KeyAnswer), **OPERATOR, 409: OVERTAKEN, 503: AWAY},
        security=KEY,
    ),
    Operation(
        "POST",
        PATH,
        "A short-lived token",
        f"OAuth 2.0 client credentials with private_key_jwt; client_assertion_type is {ASSERTION}.",
        {
            200: Answer("The token.", TokenAnswer),
            400: Answer("Not a request of this grant.", TokenError),
            401: Answer("The assertion proves nothing, or was used before.", TokenError),
            429: Answer("Too many requests.", TokenError, headers={"Retry-After": "Seconds to wait."}),
            503: AWAY,
        },
        request=TokenForm,
        media_type="application/x-www-form-urlencoded",
    ),
)
