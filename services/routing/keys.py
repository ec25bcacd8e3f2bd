"""Whose key came with a request: one of the secret `agency-keys.json`, an issued one, or a short-lived token."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts import regions
from contracts.codes import Agency
from services.routing.agencies.book import Book
from services.routing.agencies.keyring import AGENCY_SCOPES, Holder, Scope
from services.routing.agencies.rates import Rates
from services.routing.agencies.tokens import Tokens
from services.runtime.clock import Clock
from services.runtime.database import Instant, replace_row, writing
from services.runtime.settings import BadSettings, Settings

OPERATOR = "OPERATOR"
MIN_LENGTH = 32

metadata = MetaData()
uses = Table(
    "key_uses",
    metadata,
    Column("key_id", String(36), primary_key=True),
    Column("hour", Instant, nullable=False),
)


def read_keys(settings: Settings) -> dict[str, Holder]:
    """The keys of the secret, by key. Names are `BAWASLU`, `BAWASLU/kabkota:52.04` or `OPERATOR`.

    Raises BadSettings naming the entry, never a key.
    """
    where = f"{settings.data_dir}/secrets/agency-keys.json"
    try:
        document: Any = json.loads(settings.secret("agency-keys.json"))
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document:
        raise BadSettings(f'{where}: is not a JSON object of keys; write {{"BAWASLU": "…", "OPERATOR": "…"}}')
    found: dict[str, Holder] = {}
    for name, key in document.items():
        if not isinstance(key, str) or len(key) < MIN_LENGTH:
            raise BadSettings(
                f"{where}: the key of {name} is shorter than {MIN_LENGTH} characters; draw another"
            )
        if key in found:
            raise BadSettings(f"{where}: {name} has the key of another entry; draw another")
        found[key] = _holder(name, where)
    return found


class Keys:
    """Who a key belongs to. A key is judged only once the book is open; when it was last used is kept by the hour."""

    def __init__(
        self, engine: AsyncEngine, book: Book, clock: Clock, tokens: Tokens, per_minute: int
    ) -> None:
        self._engine, self._book, self._clock, self._tokens = engine, book, clock, tokens
        self.rates = Rates(per_minute)
        self._noted: dict[UUID, datetime] = {}

    @property
    def opened(self) -> bool:
        """Whether every key that was ever issued or revoked is known."""
        return self._book.opened.is_set()

    async def open(self, settings: Settings) -> None:
        """Take the keys of the secret. Raises BadSettings and SQLAlchemyError."""
        self._book.ring.bring_in(read_keys(settings), self._clock())
        async with writing(self._engine) as connection:
            await connection.run_sync(metadata.create_all)
        await self._tokens.open()

    async def holder(self, key: str | None) -> Holder | None:
        """Whose key this is; None for an unknown, expired or revoked one. Raises SQLAlchemyError."""
        now = self._clock()
        found = self._book.ring.bearer(key or "", now) or self._tokens.holder(key or "")
        if found and found.key_id:
            await self._note(found.key_id, now)
        return found

    def stands(self, holder: Holder) -> bool:
        """Whether the key a request came with still opens anything: one that waits may outlive it."""
        return holder.key_id is None or self._book.ring.holder(holder.key_id, self._clock()) is not None

    async def last_uses(self) -> dict[str, datetime]:
        """The hour (UTC) in which each key was last used, by its id."""
        async with self._engine.connect() as connection:
            rows = [dict(row._mapping) for row in await connection.execute(select(uses))]
        return {row["key_id"]: row["hour"] for row in rows}

    async def _note(self, key_id: UUID, now: datetime) -> None:
        """One write for each key and hour."""
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        if self._noted.get(key_id) == hour:
            return
        async with writing(self._engine) as connection:
            await replace_row(connection, uses, {"key_id": str(key_id), "hour": hour})
        self._noted[key_id] = hour


def _holder(name: str, where: str) -> Holder:
    agency, _, office = name.partition("/")
    if agency != OPERATOR and agency not in list(Agency):
        raise BadSettings(
            f"{where}: {agency} is not an agency; write one of {', '.join(Agency)} or {OPERATOR}"
        )
    try:
        regions.label_of(office or None)
    except KeyError:
        raise BadSettings(
            f"{where}: {office} is not an office; write pusat, prov:PP or kabkota:PP.KK"
        ) from None
    return Holder(agency, office or None, frozenset(Scope if agency == OPERATOR else AGENCY_SCOPES))


__all__ = ["MIN_LENGTH", "OPERATOR", "Holder", "Keys", "read_keys"]
