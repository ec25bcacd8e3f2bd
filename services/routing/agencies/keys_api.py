"""The operator's door to the keys of agencies: issued and shown once, rotated with overlap, revoked, listed."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts import regions
from contracts.codes import Agency
from contracts.events import KeyChangedData, KeyKind
from contracts.faults import Fault, InvalidDocument
from contracts.report import ONE_LINE
from contracts.report import Part as Strict
from services.routing.agencies.book import Book, Overtaken
from services.routing.agencies.directory_api import overtaken
from services.routing.agencies.issuing import (
    LONGEST_DAYS,
    MARK,
    event_of,
    issued,
    registered,
    revoked,
    rotated,
)
from services.routing.agencies.keyring import AGENCY_SCOPES, Scope, valid
from services.routing.bodies import REFUSALS, read_as, refused
from services.routing.guarding import NO_STORE, guarded, nothing_here
from services.routing.keys import OPERATOR, Holder, Keys
from services.runtime.bus import BrokerAway, Bus
from services.runtime.clock import Clock
from services.runtime.http import problem

ROOT = "/v1/operator/keys"
MAX_BYTES = 20_000


class NewKey(Strict):
    """Whose key it will be, what it may do, and for how long. With `public_key` it only asks for tokens."""

    holder: Agency | Literal["OPERATOR"]
    office: Annotated[str, Field(strict=True, max_length=20), ONE_LINE] | None = None
    scopes: tuple[Scope, ...] = (Scope.READ, Scope.ACT)
    expires_in_days: Annotated[int, Field(strict=True, ge=1, le=LONGEST_DAYS)] = 365
    public_key: Annotated[str, Field(strict=True, max_length=10_000)] | None = None


class Rotation(Strict):
    """How long the old key still opens beside the new one: hours, at most seven days."""

    overlap_hours: Annotated[int, Field(strict=True, ge=0, le=168)] = 24


class KeyDoors:
    """`bus` gives the connection, None while it is not there yet."""

    def __init__(self, keys: Keys, book: Book, bus: Callable[[], Bus | None], clock: Clock) -> None:
        self._keys, self._book, self._bus, self._clock = keys, book, bus, clock

    def routes(self) -> list[Route]:
        one = f"{ROOT}/{{key}}"
        return [
            Route(ROOT, guarded(self._keys, self.show, Scope.MANAGE), methods=["GET"]),
            Route(ROOT, guarded(self._keys, self.issue, Scope.MANAGE), methods=["POST"]),
            Route(f"{one}/rotation", guarded(self._keys, self.rotate, Scope.MANAGE), methods=["POST"]),
            Route(f"{one}/revocation", guarded(self._keys, self.revoke, Scope.MANAGE), methods=["POST"]),
        ]

    async def show(self, request: Request, _holder: Holder) -> Response:
        """`GET /v1/operator/keys?holder=…`: every key without itself, and the hour it was last used."""
        wanted, now, used = request.query_params.get("holder"), self._clock(), await self._keys.last_uses()
        ring = self._book.ring
        found = [
            shown(key, now, used.get(str(key.key_id)))
            for key in sorted(
                ring.keys.values(), key=lambda key: (key.holder, key.office or "", key.issued_at)
            )
            if wanted in (None, key.holder) and ring.listed(key)
        ]
        return JSONResponse({"keys": found}, headers=NO_STORE)

    async def issue(self, request: Request, _holder: Holder) -> Response:
        """`POST /v1/operator/keys`: the answer is the only place where the key ever stands."""
        try:
            body, now = await read_as(request, NewKey, MAX_BYTES), self._clock()
            _check(body)
            until = now + timedelta(days=body.expires_in_days)
            who = (str(body.holder), body.office, tuple(str(scope) for scope in body.scopes))
            if body.public_key:
                token, data = None, _registered(body.public_key, who, now, until)
            else:
                token = MARK + secrets.token_urlsafe(32)
                data = issued(token, *who, now, until)
            if data.key_id in self._book.ring.keys:
                return problem(
                    409, "Known already", "This public key is registered already; make another pair."
                )
            return await self._told([data], {**shown(data, now, None), "key": token})
        except REFUSALS as trouble:
            return refused(trouble)

    async def rotate(self, request: Request, _holder: Holder) -> Response:
        """`POST …/rotation`: a new key of the same holder and scopes; the old one opens for the overlap."""
        old, now = self._one(request), self._clock()
        if old is None:
            return nothing_here()
        if old.kind is KeyKind.PUBLIC_KEY or not valid(old, now):
            detail = "Only a valid bearer key is rotated; register another public key, or issue another key."
            return problem(409, "Impossible now", detail)
        try:
            body = await read_as(request, Rotation, MAX_BYTES)
            token = MARK + secrets.token_urlsafe(32)
            until = now + (old.expires_at - old.issued_at if old.expires_at else timedelta(days=365))
            new = issued(token, old.holder, old.office, old.scopes, now, until)
            gone = rotated(old, new, now, timedelta(hours=body.overlap_hours))
            return await self._told([new, gone], {**shown(new, now, None), "key": token})
        except REFUSALS as trouble:
            return refused(trouble)

    async def revoke(self, request: Request, _holder: Holder) -> Response:
        """`POST …/revocation`: it opens nothing any more, here at once and at other workers within two seconds."""
        old, now = self._one(request), self._clock()
        if old is None:
            return nothing_here()
        new = revoked(old, now)
        try:
            return await self._told([new] if new != old else [], shown(new, now, None))
        except REFUSALS as trouble:
            return refused(trouble)

    async def _told(self, changed: list[KeyChangedData], answer: dict[str, Any]) -> Response:
        bus = self._bus()
        if bus is None:
            raise BrokerAway(ambiguous=False)
        try:
            await self._book.tell(bus, [event_of(data, self._clock()) for data in changed])
        except Overtaken:
            return overtaken()
        return JSONResponse(answer, headers=NO_STORE)

    def _one(self, request: Request) -> KeyChangedData | None:
        """The key of an id or of the characters that are shown, if they mean one."""
        found = self._book.ring.find(request.path_params["key"])
        return found[0] if len(found) == 1 else None


def shown(key: KeyChangedData, now: datetime, last_used: datetime | None) -> dict[str, Any]:
    """A key for the operator: everything but itself and its hash."""
    told = key.model_dump(mode="json", exclude={"sha256", "version"})
    return {**told, "valid": valid(key, now), "last_used": last_used.isoformat() if last_used else None}


def _registered(
    pem: str, who: tuple[str, str | None, tuple[str, ...]], now: datetime, until: datetime
) -> KeyChangedData:
    """Raises InvalidDocument."""
    try:
        return registered(pem, *who, now, until)
    except ValueError as problem_with_it:
        raise InvalidDocument([Fault(("public_key",), str(problem_with_it))]) from None


def _check(body: NewKey) -> None:
    """Raises InvalidDocument."""
    faults = []
    allowed = tuple(Scope) if body.holder == OPERATOR else AGENCY_SCOPES
    if not body.scopes or not set(body.scopes) <= set(allowed):
        faults.append(Fault(("scopes",), f"are not those of such a key; write some of {', '.join(allowed)}"))
    try:
        regions.label_of(body.office)
    except KeyError:
        faults.append(Fault(("office",), "is not an office; write pusat, prov:PP or kabkota:PP.KK"))
    if body.holder == OPERATOR and body.office:
        faults.append(Fault(("office",), "is not for the operator's key; leave it out"))
    if faults:
        raise InvalidDocument(faults)
