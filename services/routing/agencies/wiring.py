"""Puts the parts about agencies together: their book, their keys, and the operator's doors to both."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Route

from services.routing.agencies.book import Book
from services.routing.agencies.directory_api import DirectoryDoors
from services.routing.agencies.events_api import EventDoors
from services.routing.agencies.keys_api import KeyDoors
from services.routing.agencies.token_api import PATH, TokenDoor
from services.routing.agencies.tokens import Tokens
from services.routing.keys import Keys
from services.routing.settings import RoutingSettings
from services.runtime.bus import Bus
from services.runtime.clock import Clock


@dataclass(frozen=True)
class Agencies:
    """What lives as long as the application."""

    book: Book
    tokens: Tokens
    keys: Keys

    def routes(self, bus: Callable[[], Bus | None], clock: Clock) -> list[Route]:
        """The agencies' events, the operator's doors to directory and keys, and the token endpoint."""
        return [
            *DirectoryDoors(self.keys, self.book, bus).routes(),
            *EventDoors(self.keys, bus).routes(),
            *KeyDoors(self.keys, self.book, bus, clock).routes(),
            *TokenDoor(self.keys, self.tokens, self.keys.rates).routes(),
        ]


def agencies_of(settings: RoutingSettings, engine: AsyncEngine, clock: Clock) -> Agencies:
    """Nothing is opened yet. Raises BadSettings without the secret `case.key`."""
    book = Book(clock)
    # Access tokens live ten minutes, so a key derived from one that must be kept anyway is enough.
    secret = hmac.digest(settings.secret("case.key").encode(), b"netral access tokens", "sha256")
    audience = (settings.public_address, settings.public_address + PATH)
    tokens = Tokens(book.ring, engine, secret, audience, clock)
    return Agencies(book, tokens, Keys(engine, book, clock, tokens, settings.agency_requests_per_minute))
