"""The token endpoint: OAuth 2.0 client credentials with private_key_jwt (RFC 6749, 7523). Its errors are OAuth's own."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.routing.agencies.rates import Rates
from services.routing.agencies.tokens import Tokens, Unproved
from services.routing.bodies import later
from services.routing.keys import Keys
from services.runtime.http import TooLarge, TooSlow, body_within

PATH = "/v1/oauth/token"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_BYTES = 10_000
_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenDoor:
    """One door; whoever comes proves a private key, so it needs no key of ours."""

    def __init__(self, keys: Keys, tokens: Tokens, rates: Rates) -> None:
        self._keys, self._tokens, self._rates = keys, tokens, rates

    def routes(self) -> list[Route]:
        return [Route(PATH, self.token, methods=["POST"])]

    async def token(self, request: Request) -> Response:
        """`POST /v1/oauth/token`, a form with grant_type, client_assertion_type and client_assertion."""
        if not self._keys.opened:
            return later("Netral is starting and does not know every key yet; try again soon.")
        try:
            form = _form(await body_within(request, MAX_BYTES))
        except (TooLarge, TooSlow, ValueError):
            return _error("invalid_request", f"send a form of at most {MAX_BYTES} bytes, each field once")
        if form.get("grant_type") != "client_credentials":
            return _error("unsupported_grant_type", "grant_type is client_credentials")
        if form.get("client_assertion_type") != ASSERTION or "client_assertion" not in form:
            return _error("invalid_request", f"client_assertion_type is {ASSERTION}, with a client_assertion")
        client = self._tokens.client_of(form["client_assertion"])
        spent = await self._rates.spend(f"token {client.key_id if client else '-'}")
        if not spent.allowed:
            return _error("slow_down", "too many requests; wait", 429, spent.headers)
        try:
            found = await self._tokens.exchange(form["client_assertion"], form.get("scope"))
        except Unproved as problem:
            return _error("invalid_client", str(problem), 401, spent.headers)
        return JSONResponse(found, headers={**_HEADERS, **spent.headers})


def _form(body: bytes) -> dict[str, str]:
    """Raises ValueError for a field that stands there twice, and for what is no form."""
    found = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    if any(len(values) > 1 for values in found.values()):
        raise ValueError
    return {name: values[0] for name, values in found.items()}


def _error(code: str, says: str, status: int = 400, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": code, "error_description": says}, status, {**_HEADERS, **(headers or {})})
