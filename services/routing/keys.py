"""API keys of agencies: kept as hashes, taken from the secret `agency-keys.json`, each opening one agency's cases.

A key is 256 random bits, so a plain SHA-256 is enough: there is no dictionary that a slow hash would slow down.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts import regions
from contracts.codes import Agency
from services.routing.views_tables import agency_keys
from services.runtime.database import insert_new
from services.runtime.settings import BadSettings, Settings

OPERATOR = "OPERATOR"
MIN_LENGTH = 32


@dataclass(frozen=True)
class Holder:
    """Whose key it is: an agency's code or OPERATOR; with an office it opens that office's cases only."""

    agency: str
    office: str | None = None


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
    """Who a key belongs to. The secret is the whole truth: a key that is no longer in it is revoked."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def bring_in(self, settings: Settings) -> None:
        """Make the table as the secret says. Raises BadSettings and SQLAlchemyError."""
        wanted = {_hash(key): holder for key, holder in read_keys(settings).items()}
        c = agency_keys.c
        rows = [
            {"hash": digest, "agency": holder.agency, "office": holder.office, "revoked": False}
            for digest, holder in wanted.items()
        ]
        async with self._engine.begin() as connection:
            await connection.execute(update(agency_keys).where(c.hash.not_in(wanted)).values(revoked=True))
            await connection.execute(insert_new(self._engine, agency_keys), rows)
            for row in rows:
                await connection.execute(update(agency_keys).where(c.hash == row["hash"]).values(row))

    async def holder(self, key: str | None) -> Holder | None:
        """Whose key this is; None for an unknown or revoked one. Raises SQLAlchemyError."""
        c = agency_keys.c
        query = select(c.agency, c.office).where(c.hash == _hash(key or ""), c.revoked.is_(False))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return Holder(row.agency, row.office) if row else None


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
    return Holder(agency, office or None)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
