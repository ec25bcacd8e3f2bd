"""API keys of agencies: only their hashes are kept, and a key opens one agency, or one office of it.

A key is 256 random bits, so a plain SHA-256 is enough: there is nothing to guess that a slow hash would protect.
"""

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.routing.views_tables import agency_keys
from services.runtime.database import insert_new
from services.runtime.settings import BadSettings, Settings

OPERATOR = "OPERATOR"


@dataclass(frozen=True)
class Holder:
    """Who a key belongs to; without an office it opens the whole agency."""

    agency: str
    office: str | None


class Keys:
    """The keys known to this service."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def bring_in(self, settings: Settings) -> None:
        """Take over the keys of `secrets/agency-keys.json` (agency to key). Raises BadSettings."""
        try:
            given: dict[str, str] = json.loads(settings.secret("agency-keys.json"))
            rows = [_row(agency, key) for agency, key in given.items()]
        except (ValueError, AttributeError):
            raise BadSettings(
                f"{settings.data_dir}/secrets/agency-keys.json: is not a JSON object of agency and key; mend it"
            ) from None
        async with self._engine.begin() as connection:
            await connection.execute(insert_new(self._engine, agency_keys), rows)

    async def holder(self, key: str | None) -> Holder | None:
        """Whose key this is; None for an unknown or revoked one."""
        c = agency_keys.c
        query = select(c.agency, c.office).where(c.hash == _hash(key or ""), c.revoked.is_(False))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return Holder(row.agency, row.office) if row else None


def _row(agency: str, key: str) -> dict[str, object]:
    return {"hash": _hash(key), "prefix": key[:8], "agency": agency, "office": None, "revoked": False}


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
